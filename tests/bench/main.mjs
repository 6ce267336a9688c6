// Runs the parts, prints each figure as it is known, and writes them as a table. Started by `run`, which has PostgreSQL
// and Kafka ready.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

// A row of the table. With a target it says reached or missed; nothing ever fails because of that.
function report(row) {
  const verdict = row.reached ? (row.reached(row.value) ? 'reached' : 'missed') : '';
  rows.push({ ...row, verdict });
  say(`  ${verdict ? `[${verdict}] ` : ''}${row.what}: ${row.text}${row.target ? `, target ${row.target}` : ''}${row.note ? `; ${row.note}` : ''}`);
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
  const changed = output('git', 'status', '--porcelain', '--untracked-files=no') === '' ? '' : ', with changes';
  return [
    ['processor', `${cpus[0].model.trim()}, ${cpus.length} cores, shared by the programs, Kafka, PostgreSQL and the load`],
    ['memory', `${Math.round(os.totalmem() / 2 ** 30)} GiB`],
    ['kernel', os.release()],
    ['load average', `${loads.map((one) => one.toFixed(1)).join(', ')}: at the start of each part, and at the end (a quiet machine starts below 0.5)`],
    ['Kafka', `${kafkaVersion()}, one broker (KRaft), 12 partitions, acks=all, defaults of tests/tools/kafka`],
    ['PostgreSQL', `${await sql('postgres', 'show server_version')}, its own defaults (fsync on)`],
    ['librdkafka', output('pkg-config', '--modversion', 'rdkafka')],
    ['GCC', output('g++', '-dumpfullversion')],
    ['commit', output('git', 'rev-parse', '--short', 'HEAD') + changed],
    ['command', `\`${process.env.BENCH_COMMAND}\``],
    ['date', new Date().toISOString().slice(0, 10)],
  ];
}

const cell = (text) => String(text ?? '').replaceAll('|', '\\|');
const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;

async function writeResults() {
  const whole = !quick && !only;
  const file = path.join(repository, whole ? 'tests/bench/results.md' : 'build/bench/results.md');
  const costs = path.join(repository, 'tests/bench/costs.md');
  const text = [
    '# Results',
    '',
    'Written by `tests/bench/run`; what is measured how, and what the numbers mean: README.md. A value is the median of its',
    'rounds, with the lowest and the highest.',
    '',
    '| what | measured | target | | beside it |',
    '|---|---|---|---|---|',
    ...rows.map((row) => line([row.what, row.text, row.target, row.verdict, row.note])),
    '',
    '## Where',
    '',
    '| | |',
    '|---|---|',
    ...(await conditions()).map(line),
    '',
    ...(existsSync(costs) ? [readFileSync(costs, 'utf8')] : []),
  ].join('\n');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  say(`written: ${path.relative(repository, file)}`);
}

// A part that fails does not take the others' figures with it.
for (const name of chosen) {
  loads.push(os.loadavg()[0]);
  try {
    await parts[name]({ say, report });
  } catch (fault) {
    console.error(fault);
    report({ what: `${name}: did not come to its end`, text: fault.message.split('\n')[0] });
    process.exitCode = 1;
  }
}
loads.push(os.loadavg()[0]);
await writeResults();
const missed = rows.filter((row) => row.verdict === 'missed');
const targets = rows.filter((row) => row.verdict !== '').length;
say(`${targets - missed.length} of ${targets} figures reached${missed.length > 0 ? `; missed: ${missed.map((row) => row.what).join('; ')}` : ''}`);
