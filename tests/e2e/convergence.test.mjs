// needs: database, kafka, strapi
// Whatever the order, the number of copies, the crashes and the backups: when input stops, every user's rows
// are those of the user's newest event.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import { assertIsNewest, assertOneOfEach, history, newestOf, randomFrom, watchPositions } from './history.mjs';
import { connectKafka, eventRecord } from './records.mjs';
import {
  clerkUser, command, newSiteDatabase, newTopics, sendWebhook, startIngest, startWorker, uniqueName,
  userCreated, userDeleted, userUpdated, waitFor, webhookSecret,
} from './support.mjs';

const run = promisify(execFile);

let kafka;
before(async () => {
  kafka = await connectKafka();
});

// A site's database, topics and the way to send to them; each test starts its own workers.
async function newSite() {
  const [database, topics] = await Promise.all([newSiteDatabase(), newTopics()]);
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  const ingest = await startIngest({ ...topics });
  const newWorker = (more) => startWorker({ ...topics, DATABASE_URL: database.url, ...more });
  const send = async (body, id) => {
    const answer = await sendWebhook(ingest.url, webhookSecret, { body, ...(id ? { id } : {}) });
    assert.equal(answer.status, 200, answer.body);
    return answer;
  };
  return { database, topics, ingest, newWorker, send };
}

const applied = async (workers) => {
  const pages = await Promise.all(workers.map((one) => one.metrics()));
  return pages.reduce((sum, page) => sum + page.value('clerk_worker_events_total'), 0);
};

test('convergence: 20 concurrent copies of user.created give one user, role link, profile [I4]', async () => {
  const { database, newWorker, send } = await newSite();
  const worker = await newWorker();

  const user = clerkUser();
  await Promise.all(Array.from({ length: 20 }, () => send(userCreated(user), 'msg_the_same')));
  await waitFor(async () => (await applied([worker])) === 20, { what: '20 events applied' });
  await assertOneOfEach(database, user);
  const metrics = await worker.metrics();
  assert.equal(metrics.value('clerk_worker_events_total', { outcome: 'created' }), 1);
  assert.equal(metrics.value('clerk_worker_events_total', { outcome: 'duplicate' }), 19);

  const other = clerkUser(); // 20 messages instead of 20 deliveries of one
  await Promise.all(Array.from({ length: 20 }, () => send(userCreated(other))));
  await waitFor(async () => (await applied([worker])) === 40, { what: '40 events applied' });
  await assertOneOfEach(database, other);
  assert.equal((await worker.metrics()).value('clerk_worker_events_total', { outcome: 'created' }), 2);
});

// --- order, copies and a killed worker

test('convergence: 200 shuffled, repeated events and a killed worker end right [I2, I3, I4, I7]', async (t) => {
  const seed = process.env.SEED || randomBytes(6).toString('hex');
  t.diagnostic(`seed ${seed}`);
  const random = randomFrom(seed);
  const events = history(random, { users: 10, deleted: 3 });
  const copies = random.shuffled(events).slice(0, 100);
  const sequence = random.shuffled([...events, ...copies]);

  const { database, topics, newWorker, send } = await newSite();
  const workers = await Promise.all([newWorker(), newWorker()]);
  const held = async (worker) => ((await worker.metrics()).text.match(new RegExp(`^clerk_worker_lag_records\\{.*topic="${topics.TOPIC_USER_EVENTS}"`, 'gm')) || []).length;
  await waitFor(async () => (await held(workers[0])) === 6 && (await held(workers[1])) === 6, { what: 'six partitions for each worker' });
  const records = await kafka.follow(topics.TOPIC_USER_EVENTS);
  const watch = watchPositions(kafka, database, topics);

  // Eight senders; the worker is killed while the second half is being sent.
  const queue = [...sequence];
  const senders = (left) => Promise.all(Array.from({ length: 8 }, async () => {
    while (queue.length > left) {
      const { message, body } = queue.shift();
      await send(body, message);
    }
  }));
  await senders(sequence.length / 2);
  const secondHalf = senders(0);
  await workers[0].kill();
  const killed = Date.now();
  await secondHalf;

  const ends = await kafka.ends(topics.TOPIC_USER_EVENTS);
  const reached = (positions) => Object.entries(ends).every(([partition, end]) => end === 0 || positions[partition] === end);
  const inDatabase = async () => {
    const rows = await database.rows('select partition, value from clerk_sync.next_offset where topic = $1', [topics.TOPIC_USER_EVENTS]);
    return reached(Object.fromEntries(rows.map(({ partition, value }) => [partition, Number(value)])));
  };
  await waitFor(inDatabase, { what: "the dead worker's partitions applied by the other", deadlineMs: 15_000, everyMs: 50 });
  t.diagnostic(`the dead worker's partitions were applied by the other ${Date.now() - killed} ms after the kill`);
  await waitFor(async () => (await held(workers[1])) === 12, { what: 'all partitions with the other' });
  await waitFor(async () => reached(await kafka.committed(topics.KAFKA_GROUP_ID, topics.TOPIC_USER_EVENTS)), { what: 'everything committed', everyMs: 100 });
  await waitFor(() => records.length >= sequence.length, { what: 'all records read back' });

  await assertIsNewest(database, newestOf(events));
  const { looks, last } = await watch.assertNeverAhead(records);
  t.diagnostic(`${looks} looks at the positions`);
  for (const [partition, end] of Object.entries(ends)) if (end > 0) assert.equal(last.next[partition], end);
  assert.equal((await database.rows('select count(*)::int as n from up_users where clerk_id is not null'))[0].n, 7);
  assert.equal((await database.rows('select count(*)::int as n from user_profiles'))[0].n, 7);
});

// --- a restored backup

async function onServer(sql) {
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

// A backup as operators take it, while everything runs.
async function backUp(database) {
  const file = `${process.env.TEST_RUN_DIR}/${uniqueName('backup')}.dump`;
  await run('pg_dump', ['--format=custom', `--file=${file}`, database.url]);
  return file;
}

// The backup takes the database's name as in a restore below running services: restored beside it, then renamed.
async function restore(database, file) {
  const beside = `${database.name}_restored`;
  const url = new URL(database.url);
  url.pathname = `/${beside}`;
  await onServer(`create database ${beside} template template0`);
  await run('pg_restore', [`--dbname=${url.href}`, file]);
  const lost = `${database.name}_lost`;
  await onServer(`alter database ${database.name} allow_connections false`);
  await onServer(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.name}'`);
  await onServer(`alter database ${database.name} rename to ${lost}`);
  await onServer(`alter database ${beside} rename to ${database.name}`);
  await onServer(`drop database ${lost} with (force)`);
}

// Users before and after the backup: created, changed and deleted after it. Nothing is sent after the restore.
async function loseAndRecover({ whileRunning }) {
  const { database, newWorker, send } = await newSite();
  let worker = await newWorker();
  const users = Array.from({ length: 12 }, () => clerkUser());
  const [old, fresh] = [users.slice(0, 6), users.slice(6)];
  const sent = [];
  const deliver = async (body) => {
    const { id } = await send(body);
    sent.push({ message: id, body });
  };
  await Promise.all(old.map((user) => deliver(userCreated(user))));
  await waitFor(async () => (await applied([worker])) === sent.length, { what: 'the first users' });

  const backup = await backUp(database);
  await Promise.all([
    ...fresh.map((user) => deliver(userCreated(user))),
    ...old.slice(0, 3).map((user) => deliver(userUpdated({ ...user, first_name: 'Changed', updated_at: user.updated_at + 1 }))),
    ...old.slice(3, 5).map((user) => deliver(userDeleted(user.id))),
  ]);
  await waitFor(async () => (await applied([worker])) === sent.length, { what: 'what came after the backup' });
  const documents = () => database.rows('select clerk_id, document_id from up_users where clerk_id is not null order by 1');
  const earlier = await documents();

  if (!whileRunning) await worker.stop();
  await restore(database, backup);
  const begin = Date.now();
  if (!whileRunning) worker = await newWorker();
  await waitFor(() => assertIsNewest(database, newestOf(sent)).then(() => true), { what: 'every user recovered', deadlineMs: 15_000, everyMs: 200 });
  assert.deepEqual(await documents(), earlier);
  await waitFor(async () => (await worker.metrics()).value('clerk_worker_paused') === 0, { what: 'the worker runs' });
  return Date.now() - begin;
}

test('convergence: a worker started on a restored backup rewinds to the stored position [I2, I7]', async (t) => {
  t.diagnostic(`recovered after ${await loseAndRecover({ whileRunning: false })} ms`);
});

test('convergence: a running worker recovers from a restored backup without restart [I2, I9]', async (t) => {
  t.diagnostic(`recovered after ${await loseAndRecover({ whileRunning: true })} ms`);
});

// The other direction: Kafka has less than the database. Its topics end before the stored positions.
async function loseKafkaAndRecover({ whileRunning }) {
  const { database, topics, newWorker, send } = await newSite();
  let worker = await newWorker();
  const partition = 0; // one after the other: the old topic was longer than the new one will be
  const users = Array.from({ length: 5 }, () => clerkUser());
  const append = (...bodies) => kafka.appendAll(topics.TOPIC_USER_EVENTS, partition, bodies.map((body) => eventRecord(body)));
  await append(...users.map((user) => userCreated(user)));
  await waitFor(async () => (await applied([worker])) === users.length, { what: 'the users' });
  if (!whileRunning) await worker.stop();
  await kafka.forgetTopic(topics.TOPIC_USER_EVENTS);
  if (!whileRunning) worker = await newWorker();

  const begin = await applied([worker]);
  const [changed, deleted, repeated] = users;
  await append(userUpdated({ ...changed, first_name: 'Changed', updated_at: changed.updated_at + 1 }), userDeleted(deleted.id), userCreated(repeated));
  await waitFor(async () => (await applied([worker])) === begin + 3, { what: 'the records of the new log', deadlineMs: 30_000 });
  const fresh = clerkUser();
  await send(userCreated(fresh));
  await waitFor(async () => (await applied([worker])) === begin + 4, { what: 'the webhook after it' });
  const names = Object.fromEntries((await database.rows('select clerk_id, full_name from up_users where clerk_id is not null')).map((row) => [row.clerk_id, row.full_name]));
  const expected = Object.fromEntries([...users, fresh].filter((user) => user !== deleted).map((user) => [user.id, 'Ada Lovelace']));
  assert.deepEqual(names, { ...expected, [changed.id]: 'Changed Lovelace' });
  const [{ value }] = await database.rows('select value from clerk_sync.next_offset where topic = $1 and partition = $2', [topics.TOPIC_USER_EVENTS, partition]);
  assert.equal(Number(value), (await kafka.ends(topics.TOPIC_USER_EVENTS))[partition]);
  await assertOneOfEach(database, fresh);
}

test('convergence: a topic shorter than the stored position is read from its beginning [I2, I7]', () => loseKafkaAndRecover({ whileRunning: false }));

test('convergence: a topic recreated under a running worker is read from its beginning [I2, I9]', () => loseKafkaAndRecover({ whileRunning: true }));
