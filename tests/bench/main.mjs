// Runs the parts, prints each figure when it is measured, and writes them as a table. Started by `run`, which has PostgreSQL
// and Kafka ready.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ingestPart } from './ingest.mjs';
import { latencyPart } from './latency.mjs';
import { verifyPart } from './verify.mjs';
import { operatorsPart } from './operators.mjs';
import { only, quick, repository, sql } from './support.mjs';
import { workerPart } from './worker.mjs';

const parts = { ingest: ingestPart, worker: workerPart, latency: latencyPart, verify: verifyPart, operators: operatorsPart };
const chosen = only ? [only] : Object.keys(parts);
const rows = [];
const loads = []; // at the start of each part, and at the end

const say = (text) => console.log(text);

// A row of the table. With a target it is "reached" or "missed"; a missed target never fails the run.
function report(row) {
  const result = row.reached ? (row.reached(row.value) ? 'reached' : 'missed') : '';
  rows.push({ ...row, result });
  say(`  ${result ? `[${result}] ` : ''}${row.what}: ${row.text}${row.target ? `, target ${row.target}` : ''}${row.note ? `; ${row.note}` : ''}`);
}

const output = (command, ...args) => {
  try {
    return execFileSync(command, args, { encoding: 'utf8', cwd: repository, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
};

const kafkaVersion = () => readFileSync(path.join(repository, 'tests/tools/kafka-pom.xml'), 'utf8').match(/<kafka\.version>(.*)</)[1];

async function conditions() {
  const cpus = os.cpus();
  const changed = output('git', 'status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes';
  return [
    `${new Date().toISOString().slice(0, 10)}, \`${process.env.BENCH_COMMAND}\`, commit ${output('git', 'rev-parse', '--short', 'HEAD')}${changed}:`,
    `${cpus[0].model.trim()}, ${cpus.length} cores, shared by the programs, Kafka, PostgreSQL and the load; ${Math.round(os.totalmem() / 2 ** 30)} GiB;`,
    `kernel ${os.release()}; load average ${loads.map((one) => one.toFixed(1)).join(', ')} (start of each part, end);`,
    `Kafka ${kafkaVersion()}, one broker, 12 partitions, acks=all; PostgreSQL ${await sql('postgres', 'show server_version')}, fsync on;`,
    `librdkafka ${output('pkg-config', '--modversion', 'rdkafka')}; GCC ${output('g++', '-dumpfullversion')}.`,
  ];
}

const cell = (text) => String(text ?? '').replaceAll('|', '\\|');
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;

async function writeResults() {
  const whole = !quick && !only;
  const file = path.join(repository, whole ? 'tests/bench/results.md' : 'build/bench/results.md');
  const text = [
    '# Results',
    '',
    'Written by `tests/bench/run` (README.md). A value is the median of its rounds, with the lowest and the highest.',
    ...(await conditions()),
    '',
    '| what | measured | target |',
    '|---|---|---|',
    ...rows.map((row) => line([row.what, row.note ? `${row.text}; ${row.note}` : row.text, row.target ? `${row.target}: ${row.result}` : ''])),
    '',
  ].join('\n');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  say(`written: ${path.relative(repository, file)}`);
}

// A part that fails leaves the figures of the others.
for (const name of chosen) {
  loads.push(os.loadavg()[0]);
  try {
    await parts[name]({ say, report });
  } catch (fault) {
    console.error(fault);
    report({ what: `${name}: failed`, text: fault.message.split('\n')[0] });
    process.exitCode = 1;
  }
}
loads.push(os.loadavg()[0]);
await writeResults();
const missed = rows.filter((row) => row.result === 'missed');
const targets = rows.filter((row) => row.result !== '').length;
say(`${targets - missed.length} of ${targets} figures reached${missed.length > 0 ? `; missed: ${missed.map((row) => row.what).join('; ')}` : ''}`);
