// What the parts of the benchmark share: our programs as processes, databases, Kafka's tools, and the arithmetic.
import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const runFile = promisify(execFile);

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const quick = process.env.BENCH_QUICK === 'yes';
export const only = process.env.BENCH_ONLY;
export const brokers = process.env.BENCH_KAFKA_BROKERS;
export const brokerProcess = Number(process.env.BENCH_BROKER_PROCESS);
const bin = process.env.BENCH_BIN;
export const runFolder = process.env.BENCH_RUN_DIR;
const adminUrl = process.env.BENCH_DATABASE_URL;

export const webhookSecret = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3';
export const profileType = 'api::user-profile.user-profile';

// --- arithmetic

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// "median (lowest to highest)" of a few rounds.
export function spread(values, digits = 0) {
  const text = (value) => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }).replaceAll(',', ' ');
  return `${text(median(values))} (${text(Math.min(...values))} to ${text(Math.max(...values))})`;
}

// --- waiting

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(condition, { what, deadlineMs = 30_000, everyMs = 5 }) {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await pause(everyMs);
  }
}

// Body of an answer with this status, or nothing.
export function get(port, where, status = 200) {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: where, agent: false, timeout: 2000 }, (answer) => {
      let body = '';
      answer.on('data', (bytes) => (body += bytes));
      answer.on('end', () => resolve(answer.statusCode === status ? body : undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// --- processes

const statFields = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');

// User and system time of all threads so far, in the kernel's unit of hundredths of a second.
export function cpuSeconds(pid) {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function memoryMiB(pid, field = 'VmRSS') {
  const found = readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm'));
  return Number(found[1]) / 1024;
}

const running = new Set();
process.once('exit', () => {
  for (const one of running) one.child.kill('SIGKILL');
});

let counter = 0;

// Our programs get nothing of the caller's environment, only what a part gives them.
export function start(program, args, environment = {}) {
  const name = `${program}-${++counter}`;
  const logFile = path.join(runFolder, `${name}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(path.join(bin, program), args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME ?? '/', LOG_FORMAT: 'json', ...environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const pidFile = path.join(runFolder, `${name}.process.pid`);
  writeFileSync(pidFile, `${child.pid} ${statFields(child.pid)[19]}\n`);
  const one = {
    pid: child.pid,
    child,
    log: () => readFileSync(logFile, 'utf8'),
    exited: new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal, at: performance.now() }))),
    // Seconds from the signal to the exit.
    async stop() {
      const begun = performance.now();
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      const end = await one.exited;
      clearTimeout(killer);
      if (end.code !== 0) throw new Error(`${program} ended with ${end.code ?? end.signal}\n${one.log().slice(-2000)}`);
      return (end.at - begun) / 1000;
    },
  };
  running.add(one);
  one.exited.then(() => {
    running.delete(one);
    rmSync(pidFile, { force: true });
  });
  return one;
}

// One of the benchmark's own programs: runs to its end, prints lines of JSON.
export async function measure(program, args) {
  const { stdout } = await runFile(path.join(bin, program), args.map(String), { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim().split('\n').map((line) => JSON.parse(line));
}

// Ready: /readyz answers 200. `readySeconds` is counted from the spawn.
async function startOurs(program, environment) {
  const adminPort = await freePort();
  const begun = performance.now();
  const one = start(program, [], { KAFKA_BROKERS: brokers, ADMIN_LISTEN: `127.0.0.1:${adminPort}`, ...environment });
  let ended = false;
  one.exited.then(() => (ended = true));
  await until(async () => ended || (await get(adminPort, '/readyz')), { what: `${program} ready`, everyMs: 2 });
  if (ended) throw new Error(`${program} ended at its start\n${one.log().slice(-2000)}`);
  return Object.assign(one, { adminPort, readySeconds: (performance.now() - begun) / 1000 });
}

export async function startIngest(topics) {
  const port = await freePort();
  const ingest = await startOurs('clerk-ingest', {
    INGEST_LISTEN: `127.0.0.1:${port}`,
    CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret,
    ...topics,
  });
  return Object.assign(ingest, { port });
}

// Ready means that the brokers have responded once; a measurement needs the producer's connection.
export const brokerConnected = (ingest) =>
  until(async () => (await get(ingest.adminPort, '/metrics'))?.includes('clerk_ingest_dependency_up{dependency="kafka"} 1'), { what: 'ingest connected' });

export const startWorker = (databaseUrl, topics, group) =>
  startOurs('clerk-worker', { DATABASE_URL: databaseUrl, STRAPI_PROFILE_CONTENT_TYPES: profileType, KAFKA_GROUP_ID: group, ...topics });

// --- PostgreSQL

const urlOf = (database) => adminUrl.replace(/\/postgres$/, `/${database}`);

export async function sql(database, text) {
  const { stdout } = await runFile('psql', ['--no-psqlrc', '-qXAt', '-v', 'ON_ERROR_STOP=1', urlOf(database), '-c', text]);
  return stdout.trim();
}

export async function newDatabase(name, { template } = {}) {
  await sql('postgres', `drop database if exists ${name} with (force)`);
  await sql('postgres', `create database ${name}${template ? ` template ${template}` : ''}`);
  if (template) return urlOf(name);
  await runFile('psql', ['--no-psqlrc', '-qX', '-v', 'ON_ERROR_STOP=1', urlOf(name), '-f', path.join(repository, 'deploy/local/strapi-tables.sql')]);
  const migrate = start('clerk-worker', ['migrate'], { DATABASE_URL: urlOf(name), STRAPI_PROFILE_CONTENT_TYPES: profileType });
  const end = await migrate.exited;
  if (end.code !== 0) throw new Error(`clerk-worker migrate failed\n${migrate.log()}`);
  return urlOf(name);
}

// --- Kafka

const kafka = path.join(repository, 'tests/tools/kafka');

export function topicNames(prefix) {
  return {
    TOPIC_USER_EVENTS: `${prefix}.user-events`,
    TOPIC_PROVISIONING: `${prefix}.user-provisioning`,
    TOPIC_SNAPSHOTS: `${prefix}.user-snapshots`,
    TOPIC_DEAD_LETTERS: `${prefix}.dead-letters`,
  };
}

export async function newTopics(prefix) {
  const topics = topicNames(prefix);
  await runFile(kafka, ['create-topics', brokers], { env: { ...process.env, ...topics } });
  return topics;
}

export async function kafkaTool(tool, args, environment = {}) {
  const { stdout } = await runFile(kafka, ['tools', tool, ...args], { env: { ...process.env, ...environment }, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

// How many records the brokers have of a topic.
export async function recordsOf(topic) {
  const lines = await kafkaTool('offsets', ['--bootstrap-server', brokers, '--topic', topic]);
  return lines.trim().split('\n').reduce((sum, line) => sum + Number(line.split(':')[2]), 0);
}
