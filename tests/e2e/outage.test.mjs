// needs: database, kafka, strapi
// What customers experience: the database or the brokers are unavailable and recover, a deployment ends our programs
// under load. Nothing is lost, nothing is dead-lettered, no operator has to act.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import { connectKafka, eventRecord } from './records.mjs';
import {
  clerkUser, command, newSiteDatabase, newTopics, readiness, sendWebhook, startIngest, startWorker,
  uniqueName, userCreated, waitFor, webhookSecret,
} from './support.mjs';
import { kafkaServer, postgresServer } from '../tools/scripts.mjs';

const run = promisify(execFile);

const folders = {}; // of our own PostgreSQL and our own Kafka
let brokers;

before(async () => {
  for (const part of ['postgres', 'kafka']) folders[part] = path.join(process.env.TEST_RUN_DIR, uniqueName(part));
  brokers = await kafkaServer('start', folders.kafka);
});

after(() => Promise.allSettled([kafkaServer('remove', folders.kafka), postgresServer('remove', folders.postgres)]));

// --- a site on brokers and a database that a test may stop

async function newPipeline(database, more = {}) {
  const topics = await newTopics({ brokers });
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  const settings = { ...topics, KAFKA_BROKERS: brokers };
  const newIngest = (options) => startIngest({ ...settings, ...more.ingest }, options);
  const newWorker = () => startWorker({ ...settings, DATABASE_URL: database.url, ...more.worker });
  const [ingest, worker] = await Promise.all([newIngest(), newWorker()]);
  return { topics, ingest, worker, newIngest, newWorker, send: (body, more) => sendWebhook(ingest.url, webhookSecret, { body, ...more }) };
}

const statuses = (answers) => [...new Set(answers.map((answer) => answer.status))];

const isPaused = async (worker, cause) => (await worker.metrics()).value('clerk_worker_paused', { cause }) === 1;

async function untilHealthy(worker) {
  await waitFor(async () => (await readiness(worker)).status === 200, { what: 'the worker ready again', deadlineMs: 30_000 });
  assert.equal((await worker.metrics()).value('clerk_worker_paused'), 0);
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
}

const untilRows = (database, count, deadlineMs = 30_000) =>
  waitFor(async () => (await database.rows('select count(*)::int as n from up_users where clerk_id is not null'))[0].n === count, { what: `${count} users`, deadlineMs });

const users = (count) => Array.from({ length: count }, () => clerkUser());

// A copy of the site's database on a server of our own.
async function siteOnOwnServer() {
  const server = await postgresServer('start', folders.postgres, '--no-fsync');
  const source = await newSiteDatabase();
  const file = path.join(process.env.TEST_RUN_DIR, uniqueName('site') + '.dump');
  await run('pg_dump', ['--format=custom', `--file=${file}`, source.url]);
  const url = server.replace(/postgres$/, 'site');
  await run('psql', ['--no-psqlrc', '-qX', server, '-c', 'create database site']);
  await run('pg_restore', [`--dbname=${url}`, file]);
  const rowsOn = async (address, sql, values) => {
    const client = new pg.Client({ connectionString: address });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query(sql, values)).rows;
    } finally {
      await client.end();
    }
  };
  return { url, rows: (sql, values) => rowsOn(url, sql, values), onServer: (sql) => rowsOn(server, sql) };
}

test('outage: the worker survives a crashed, then read-only PostgreSQL [F11, F12, I1, I7, I9]', async (t) => {
  const database = await siteOnOwnServer();
  const { topics, ingest, worker, send } = await newPipeline(database);
  assert.deepEqual(statuses(await Promise.all(users(5).map((user) => send(userCreated(user))))), [200]);
  await untilRows(database, 5);

  await postgresServer('stop', folders.postgres, '--immediate');
  assert.deepEqual(statuses(await Promise.all(users(20).map((user) => send(userCreated(user))))), [200]);
  await waitFor(() => isPaused(worker, 'database'), { what: 'paused for the database' });
  const { status, failing } = await readiness(worker);
  assert.equal(status, 503);
  assert.ok(failing.some(({ check, detail }) => check === 'events' && /^database: ./.test(detail)), JSON.stringify(failing));
  assert.equal((await readiness(ingest)).status, 200);

  await postgresServer('start', folders.postgres, '--no-fsync');
  const back = Date.now();
  await untilRows(database, 25);
  t.diagnostic(`all rows ${Date.now() - back} ms after the database was back`);
  await untilHealthy(worker);

  // A failover to a replica that is still read-only is an outage like any other.
  await database.onServer('alter database site set default_transaction_read_only = on');
  await database.onServer("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'site'");
  assert.deepEqual(statuses(await Promise.all(users(5).map((user) => send(userCreated(user))))), [200]);
  await waitFor(async () => (await readiness(worker)).failing.some(({ detail }) => /^database: .*read-only/.test(detail)), { what: 'paused for a read-only database' });
  await database.onServer('alter database site reset default_transaction_read_only');
  await untilRows(database, 30);
  await untilHealthy(worker);
  const kafka = await connectKafka(brokers);
  assert.equal(await kafka.length(topics.TOPIC_DEAD_LETTERS), 0);
});

test('outage: without brokers 503 with Retry-After, never 2xx; then every event arrives [I1, I9]', async (t) => {
  const database = await newSiteDatabase();
  const { ingest, worker, newIngest, send } = await newPipeline(database, { ingest: { PUBLISH_TIMEOUT_MS: '5000' } });
  assert.equal((await send(userCreated(clerkUser()))).status, 200);
  await untilRows(database, 1);

  await kafkaServer('stop', folders.kafka);
  const bodies = users(20).map((user) => userCreated(user));
  const sendAll = () => Promise.all(bodies.map((body, i) => send(body, { id: `msg_again${i}` })));
  const begin = Date.now();
  const first = sendAll().then((answers) => {
    assert.ok(Date.now() - begin < 6_500, `answered after ${Date.now() - begin} ms`);
    assert.deepEqual(statuses(answers), [503]);
    for (const answer of answers) {
      assert.match(answer.headers.get('retry-after'), /^[1-9][0-9]*$/);
      assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
    }
  });
  // An instance that starts meanwhile serves webhooks, is not ready without sign-in, and stops in time.
  const other = await newIngest({ wait: 'alive' });
  assert.equal((await readiness(other)).status, 503);
  const waiting = sendWebhook(other.url, webhookSecret, { body: userCreated(clerkUser()) });
  await waitFor(async () => (await readiness(worker)).failing.some(({ check }) => check === 'kafka'), { what: 'the worker names Kafka' });
  const stopping = Date.now();
  const end = await other.stop();
  t.diagnostic(`without brokers, SIGTERM to exit took ${Date.now() - stopping} ms`);
  assert.ok(Date.now() - stopping <= 9_000);
  assert.equal(end.code, 0);
  assert.equal((await waiting).status, 503);

  await first;
  assert.equal((await readiness(ingest)).status, 200);
  const metrics = await ingest.metrics();
  assert.equal(metrics.value('clerk_ingest_dependency_up', { dependency: 'kafka' }), 0);
  assert.equal(metrics.value('clerk_ingest_webhooks_total', { outcome: 'accepted' }), 1);
  assert.equal(metrics.value('clerk_ingest_webhooks_total', { outcome: 'unavailable' }), 20);

  await kafkaServer('start', folders.kafka);
  const back = Date.now();
  // Svix sends again what did not get 2xx.
  await waitFor(async () => statuses(await sendAll()).join() === '200', { what: 'the retries are accepted', deadlineMs: 30_000 });
  t.diagnostic(`retries accepted ${Date.now() - back} ms after the brokers were back`);
  await untilRows(database, 21);
  t.diagnostic(`all rows ${Date.now() - back} ms after the brokers were back`);
  await untilHealthy(worker);
});

test('stop: SIGTERM under load ends both programs within 9 s, no 2xx is lost [F26, I1, I7]', async (t) => {
  const database = await newSiteDatabase();
  const { topics, ingest, worker, newWorker, send } = await newPipeline(database);
  const acknowledged = new Map(); // svix-id -> Clerk id
  let refused = 0;
  let failures = 0; // repeatedly: the instance is gone
  const senders = Promise.all(Array.from({ length: 16 }, async () => {
    while (failures < 50) {
      const user = clerkUser();
      const answer = await send(userCreated(user)).catch(() => null);
      if (!answer) failures++;
      else if (answer.status === 200) acknowledged.set(answer.id, user.id);
      else refused++;
    }
  }));
  await waitFor(() => acknowledged.size > 200, { what: 'load' });

  const begin = Date.now();
  const ended = async (program) => {
    const end = await program.stop();
    const tookMs = Date.now() - begin;
    t.diagnostic(`${program.name} ended after ${tookMs} ms`);
    assert.equal(end.code, 0, program.tail());
    assert.ok(tookMs <= 9_000, `${program.name} took ${tookMs} ms`);
  };
  const stopped = Promise.all([ended(ingest), ended(worker)]);
  await waitFor(async () => (await readiness(ingest)).status === 503, { what: 'ingest not ready at once', deadlineMs: 1_000 });
  await Promise.all([stopped, senders]);
  t.diagnostic(`${acknowledged.size} acknowledged, ${refused} refused`);

  const kafka = await connectKafka(brokers);
  const records = await kafka.follow(topics.TOPIC_USER_EVENTS);
  const length = await kafka.length(topics.TOPIC_USER_EVENTS);
  await waitFor(() => records.length >= length, { what: 'the log read' });
  const logged = new Set(records.map(({ headers }) => headers.ce_id));
  assert.deepEqual([...acknowledged.keys()].filter((id) => !logged.has(id)), []);

  const next = await newWorker();
  const ids = [...acknowledged.values()];
  await waitFor(async () => (await database.rows('select count(*)::int as n from up_users where clerk_id = any($1)', [ids]))[0].n === ids.length, { what: 'all of them users' });
  await untilHealthy(next);
});

test('stop: SIGTERM while a batch is collected; the next worker applies it [I6, I7]', async () => {
  const database = await newSiteDatabase();
  const { topics, worker, newWorker, send } = await newPipeline(database, { worker: { BATCH_WAIT_MS: '1000' } });
  const kafka = await connectKafka(brokers);
  const append = (count) => kafka.appendAll(topics.TOPIC_USER_EVENTS, 0, users(count).map((user) => eventRecord(userCreated(user))));
  await append(1);
  await untilRows(database, 1);
  for (let i = 0; i < 5; i++) await append(1); // the worker has the first records and waits for more
  const begin = Date.now();
  assert.deepEqual(await worker.stop(), { code: 0, signal: null }, worker.tail());
  assert.ok(Date.now() - begin <= 9_000);
  const committed = (await kafka.committed(topics.KAFKA_GROUP_ID, topics.TOPIC_USER_EVENTS))[0] ?? 0;
  const [{ n }] = await database.rows('select count(*)::int as n from up_users where clerk_id is not null');
  assert.ok(committed <= n, `${committed} committed, ${n} written`);

  await newWorker();
  assert.equal((await send(userCreated(clerkUser()))).status, 200);
  await untilRows(database, 7);
});
