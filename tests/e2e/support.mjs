// What the end-to-end tests share: processes that are started and ended by their id, databases and topics
// of their own, and Clerk as the official libraries speak it. tests/run sets the TEST_* variables.
// Nothing here sleeps for a fixed time: every wait is for a condition and has a deadline.

import assert from 'node:assert/strict';
import { spawn, execFile } from 'node:child_process';
import { mkdirSync, openSync, closeSync, readFileSync, writeFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';

export * from './clerk.mjs';

const runFile = promisify(execFile);

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const buildFolder = process.env.TEST_BUILD_DIR || path.join(repository, 'build/release');
export const kafkaIsReal = process.env.TEST_KAFKA_REAL === '1';
const runFolder = process.env.TEST_RUN_DIR || path.join(repository, 'build/test-run/by-hand');
const localParts = path.join(repository, 'deploy/local');

function needed(variable) {
  const value = process.env[variable];
  assert.ok(value, `${variable} is not set: run this through tests/run --only <this file's name>`);
  return value;
}

let counter = 0;
export const uniqueName = (prefix) => `${prefix}_${process.pid}_${++counter}`;

// --- waiting

// Tries until the condition returns a truthy value, and returns it. A condition that throws has not
// become true yet; the last error is part of the message.
export async function waitFor(condition, { what, deadlineMs = 15_000, everyMs = 20 }) {
  const deadline = Date.now() + deadlineMs;
  let last;
  for (;;) {
    try {
      last = await condition();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= deadline) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`${what}: not within ${deadlineMs} ms (last seen: ${seen})`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// --- processes

const running = new Set();
const leftovers = new Set(); // functions that end what a test made and did not end

// A test that fails half-way leaves nothing behind, and no open handle keeps its file from ending.
after(async () => {
  for (const end of [...leftovers].reverse()) await end();
});
process.once('exit', () => {
  for (const one of running) one.signal('SIGKILL');
});

// The second word of the pid file distinguishes our process from a later one with the same id.
const birthOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ')[19];

// environment is all that the process gets, besides PATH, HOME and what sanitizers read.
export function startProcess(name, command, args = [], environment = {}) {
  mkdirSync(runFolder, { recursive: true });
  const label = uniqueName(name);
  const logFile = path.join(runFolder, `${label}.log`);
  const pidFile = path.join(runFolder, `${label}.process.pid`);
  const log = openSync(logFile, 'a');
  const inherited = Object.fromEntries(
    ['PATH', 'HOME', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS'].flatMap((key) => (process.env[key] ? [[key, process.env[key]]] : [])),
  );
  const child = spawn(command, args, { env: { ...inherited, ...environment }, stdio: ['ignore', log, log] });
  closeSync(log);

  const one = {
    name,
    pid: child.pid,
    logFile,
    log: () => readFileSync(logFile, 'utf8'),
    running: () => child.exitCode === null && child.signalCode === null,
    signal: (signal) => child.kill(signal),
    exited: new Promise((resolve) => {
      child.once('error', (error) => resolve({ code: null, signal: null, error }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    }),
    // Resolves to {code, signal}; a process that ignores the signal is killed, and that fails the test.
    async stop({ signal = 'SIGTERM', deadlineMs = 12_000 } = {}) {
      if (one.running()) child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      const end = await one.exited;
      clearTimeout(timer);
      if (end.signal === 'SIGKILL' && signal !== 'SIGKILL') throw new Error(`${name} did not end within ${deadlineMs} ms of ${signal}\n${one.tail()}`);
      return end;
    },
    kill: () => one.stop({ signal: 'SIGKILL' }),
    tail: (lines = 30) => `--- last lines of ${logFile}\n${one.log().split('\n').slice(-lines).join('\n')}`,
  };
  const end = () => one.kill();
  running.add(one);
  leftovers.add(end);
  if (child.pid) writeFileSync(pidFile, `${child.pid} ${birthOf(child.pid)}\n`);
  one.exited.then(() => {
    running.delete(one);
    leftovers.delete(end);
    rmSync(pidFile, { force: true });
  });
  return one;
}

// Waits until the process meets the condition; on failure, reports the end of its log.
async function untilReady(one, condition, deadlineMs) {
  try {
    await waitFor(
      async () => {
        if (!one.running()) return { ended: true };
        return (await condition()) && { ready: true };
      },
      { what: `${one.name} ready`, deadlineMs },
    ).then((state) => assert.ok(!state.ended, `${one.name} ended before it was ready`));
  } catch (error) {
    await one.kill().catch(() => {});
    throw new Error(`${error.message}\n${one.tail()}`);
  }
}

// --- PostgreSQL

// Timestamps as PostgreSQL writes them: Strapi's columns have no time zone, and Node would add its own.
pg.types.setTypeParser(1114, (text) => text);

const onServer = async (sql) => {
  const client = new pg.Client({ connectionString: needed('TEST_DATABASE_URL') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
};

// A database of its own, empty or a copy of the template. rows() runs one statement and returns its rows;
// connect() gives a session that the test releases.
export async function newDatabase({ template = 'template1', prefix = 'test' } = {}) {
  const name = uniqueName(prefix);
  await onServer(`create database ${name} template ${template}`);
  const url = new URL(needed('TEST_DATABASE_URL'));
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.href, max: 4 });
  pool.on('error', () => {}); // a test that stops the server breaks idle connections
  const drop = async () => {
    if (!leftovers.delete(drop)) return;
    await pool.end();
    await onServer(`drop database if exists ${name} with (force)`);
  };
  leftovers.add(drop);
  return { name, url: url.href, rows: async (sql, values) => (await pool.query(sql, values)).rows, connect: () => pool.connect(), drop };
}

// As the first boot of the test site left it: every content type of tests/e2e/site.
export const newSiteDatabase = () => newDatabase({ template: needed('TEST_STRAPI_TEMPLATE'), prefix: 'site' });

// The tables of the demo, without any Strapi: user-profile and member-profile.
export async function newTablesDatabase() {
  const database = await newDatabase({ prefix: 'tables' });
  await database.rows(readFileSync(path.join(localParts, 'strapi-tables.sql'), 'utf8'));
  return database;
}

// All that Strapi has of one Clerk user, by SQL: the user's row, roles, and rows of the profile types.
export async function readUser(database, clerkId, profileTypes = ['user_profile']) {
  const [user] = await database.rows('select * from up_users where clerk_id = $1', [clerkId]);
  if (!user) return null;
  const roles = await database.rows(
    'select r.id, r.type, l.user_ord from up_users_role_lnk l join up_roles r on r.id = l.role_id where l.user_id = $1 order by r.id',
    [user.id],
  );
  const profiles = {};
  for (const type of profileTypes) {
    profiles[type] = await database.rows(
      `select p.* from ${type}s p join ${type}s_user_lnk l on l.${type}_id = p.id where l.user_id = $1 order by p.id`,
      [user.id],
    );
  }
  return { user, roles, profiles };
}

// --- Strapi

// Boots a real Strapi on the database. The same folder (default: a new one) means the same port; environment is added.
export async function startStrapi(database, { zone = 'UTC', site, plugin = 'on', folder, environment = {} } = {}) {
  const place = folder || path.join(process.env.TEST_STRAPI_DIR || path.join(runFolder, 'strapi'), uniqueName('site'));
  const options = ['--tz', zone, '--plugin', plugin, ...(site ? ['--site', site] : [])];
  const script = path.join(localParts, 'strapi');
  const { stdout } = await runFile(script, ['start', place, database.url, ...options], { maxBuffer: 1 << 24, env: { ...process.env, ...environment } });
  const url = stdout.trim();
  const stop = async () => {
    if (leftovers.delete(stop)) await runFile(script, ['stop', place]);
  };
  leftovers.add(stop);
  const token = (await runFile(script, ['token', place])).stdout.trim();
  return {
    url,
    token,
    folder: place,
    log: () => readFileSync(path.join(place, 'strapi.log'), 'utf8'),
    // A REST call with full access, or with the given headers. Body and response are JSON.
    async call(method, route, { body, headers = { authorization: `Bearer ${token}` } } = {}) {
      const answer = await fetch(`${url}/api/${route}`, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : null };
    },
    stop,
  };
}

// A copy of the test site whose files a test may change; for startStrapi's option site.
export async function copySite() {
  const site = path.join(runFolder, uniqueName('changed-site'));
  await runFile(path.join(localParts, 'strapi'), ['site', site]);
  return site;
}

// --- Kafka

// CreateTopics (version 2) over a plain socket: Kafka's own tool takes two seconds per call.
export async function createTopics(names, { partitions = 12, replication = 1, config = { 'cleanup.policy': 'delete' }, brokers } = {}) {
  const text = (value) => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
  const int16 = (value) => { const b = Buffer.alloc(2); b.writeInt16BE(value); return b; };
  const int32 = (value) => { const b = Buffer.alloc(4); b.writeInt32BE(value); return b; };
  const list = (items) => Buffer.concat([int32(items.length), ...items]);
  const topic = (name) =>
    Buffer.concat([text(name), int32(partitions), int16(replication), list([]),
      list(Object.entries(config).map(([key, value]) => Buffer.concat([text(key), text(value)])))]);
  const request = Buffer.concat([int16(19), int16(2), int32(1), text('tests'), list(names.map(topic)), int32(20_000), Buffer.from([0])]);

  const [host, port] = (brokers || needed('TEST_KAFKA_BROKERS')).split(',')[0].split(':');
  const answer = await new Promise((resolve, reject) => {
    const socket = net.connect({ host, port: Number(port) }, () => socket.write(Buffer.concat([int32(request.length), request])));
    let received = Buffer.alloc(0);
    socket.setTimeout(30_000, () => socket.destroy(new Error('Kafka did not answer CreateTopics within 30 s')));
    socket.once('error', reject).once('close', () => reject(new Error('Kafka closed the connection at CreateTopics')));
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      resolve(received.subarray(4));
      socket.destroy();
    });
  });
  let at = 8; // after the correlation id and the throttle time
  const count = answer.readInt32BE(at);
  at += 4;
  for (let i = 0; i < count; i++) {
    const nameBytes = answer.readInt16BE(at);
    const name = answer.toString('utf8', at + 2, at + 2 + nameBytes);
    at += 2 + nameBytes;
    const code = answer.readInt16BE(at);
    const messageBytes = Math.max(0, answer.readInt16BE(at + 2));
    const message = answer.toString('utf8', at + 4, at + 4 + messageBytes);
    at += 4 + messageBytes;
    assert.equal(code, 0, `topic ${name} could not be created: error ${code} ${message}`);
  }
}

// The product's four topics under names of their own, created, as the variables that name them; and a group.
export async function newTopics(options = {}) {
  const prefix = uniqueName('clerk').replaceAll('_', '-');
  const variables = {
    TOPIC_USER_EVENTS: `${prefix}.user-events`,
    TOPIC_PROVISIONING: `${prefix}.user-provisioning`,
    TOPIC_SNAPSHOTS: `${prefix}.user-snapshots`,
    TOPIC_DEAD_LETTERS: `${prefix}.dead-letters`,
  };
  if (kafkaIsReal) await createTopics(Object.values(variables), options);
  else variables.KAFKA_ALLOW_AUTO_CREATE_TOPICS = 'true'; // dev-broker creates them at first use
  return { ...variables, KAFKA_GROUP_ID: `${prefix}-group` };
}

// All records of a topic so far, at least `count`, by Kafka's own consumer: {headers, key, value}.
export async function readTopic(topic, count, { brokers, deadlineMs = 20_000 } = {}) {
  const { stdout } = await runFile(
    path.join(repository, 'tests/tools/kafka'),
    ['tools', 'console-consumer', '--bootstrap-server', brokers || needed('TEST_KAFKA_BROKERS'), '--topic', topic,
      '--from-beginning', '--max-messages', String(count), '--timeout-ms', String(deadlineMs),
      ...['print.headers=true', 'print.key=true', 'key.separator=\u0001', 'headers.separator=\u0002', 'null.literal=\u0003'].flatMap((p) => ['--formatter-property', p])],
    { maxBuffer: 1 << 28 },
  );
  const orNull = (text) => (text === '\u0003' ? null : text);
  return stdout.split('\n').filter((line) => line.includes('\u0001')).map((line) => {
    const [headers, key, ...value] = line.split('\u0001');
    return {
      headers: Object.fromEntries(headers.split('\u0002').filter(Boolean).map((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 1)])),
      key: orNull(key),
      value: orNull(value.join('\u0001')),
    };
  });
}

// --- our two programs

export const webhookSecret = 'whsec_' + Buffer.from('a secret for end-to-end tests').toString('base64');

const pages = { true: 'readyz', alive: 'livez' };
async function answersWith(url, status) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
  await answer.arrayBuffer();
  return answer.status === status;
}

// The state of /readyz: {status, failing: [{check, detail}]}.
export async function readiness(program) {
  const answer = await fetch(`${program.adminUrl}/readyz`, { signal: AbortSignal.timeout(2000) });
  const { checks } = await answer.json();
  return { status: answer.status, failing: checks.filter((check) => !check.ok).map(({ check, detail }) => ({ check, detail })) };
}

// Starts clerk-ingest and waits until it is ready (`wait: 'alive'`: until it serves). Another `build` has other programs.
export async function startIngest(environment = {}, { wait = true, build = buildFolder } = {}) {
  const listen = `127.0.0.1:${await freePort()}`;
  const admin = `127.0.0.1:${await freePort()}`;
  const ingest = startProcess('clerk-ingest', path.join(build, 'bin/clerk-ingest'), ['run'], {
    INGEST_LISTEN: listen,
    ADMIN_LISTEN: admin,
    KAFKA_BROKERS: process.env.TEST_KAFKA_BROKERS,
    CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret,
    ...environment,
  });
  Object.assign(ingest, { url: `http://${listen}`, adminUrl: `http://${admin}`, metrics: () => scrape(`http://${admin}`) });
  if (wait) await untilReady(ingest, () => answersWith(`${ingest.adminUrl}/${pages[wait]}`, 200), 15_000);
  return ingest;
}

export async function startWorker(environment = {}, { wait = true, build = buildFolder } = {}) {
  const admin = `127.0.0.1:${await freePort()}`;
  const worker = startProcess('clerk-worker', path.join(build, 'bin/clerk-worker'), ['run'], {
    ADMIN_LISTEN: admin,
    KAFKA_BROKERS: process.env.TEST_KAFKA_BROKERS,
    STRAPI_PROFILE_CONTENT_TYPES: 'api::user-profile.user-profile',
    ...environment,
  });
  Object.assign(worker, { adminUrl: `http://${admin}`, metrics: () => scrape(`http://${admin}`) });
  if (wait) await untilReady(worker, () => answersWith(`${worker.adminUrl}/${pages[wait]}`, 200), 30_000);
  return worker;
}

// Runs a command of one of our programs to its end: {code, stdout, stderr}.
export async function command(program, args, environment = {}, { deadlineMs = 60_000, build = buildFolder } = {}) {
  try {
    const done = await runFile(path.join(build, 'bin', program), args, {
      env: { PATH: process.env.PATH, KAFKA_BROKERS: process.env.TEST_KAFKA_BROKERS, ...environment },
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 26,
    });
    return { code: 0, ...done };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { code: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

// --- metrics

// The sum of the series of this name whose labels include the given ones; 0 when there is none.
export function metric(text, name, labels = {}) {
  let sum = 0;
  for (const line of text.split('\n')) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!found || found[1] !== name) continue;
    const has = Object.fromEntries([...(found[2] || '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key, value]));
    if (Object.entries(labels).every(([key, value]) => has[key] === value)) sum += Number(found[3]);
  }
  return sum;
}

async function scrape(adminUrl) {
  const text = await (await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(5000) })).text();
  return { text, value: (name, labels) => metric(text, name, labels) };
}
