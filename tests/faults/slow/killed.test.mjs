// needs: database, kafka
// F1, F2, F18: the programs die, or freeze, at an exact place, by a fail point, where a signal from outside would need
// luck. Needs programs that were built with fail points (`make test-slow` builds them, preset dev; or preset faults).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { connectKafka, eventRecord } from '../../e2e/records.mjs';
import {
  clerkUser, command, newTablesDatabase, newTopics, sendWebhook, startIngest, startWorker, userCreated, userDeleted, userUpdated, waitFor, webhookSecret,
} from '../../e2e/support.mjs';
import { buildWithPoints, namesIn, points } from '../fail-points.mjs';

const build = buildWithPoints;
const skip = build ? false : 'no programs with fail points: cmake --preset faults && cmake --build --preset faults --target clerk-ingest clerk-worker';
const inParallel = { skip, concurrency: true };

let kafka;
before(async () => {
  kafka = await connectKafka();
});

async function newPipeline() {
  const [database, topics] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 1 })]);
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  const events = topics.TOPIC_USER_EVENTS;
  const pipeline = {
    database, topics,
    worker: (points, options) => startWorker({ ...topics, DATABASE_URL: database.url, ...(points ? { CLERK_FAIL_POINTS: points } : {}) }, { build, ...options }),
    ingest: (points) => startIngest({ ...topics, ...(points ? { CLERK_FAIL_POINTS: points } : {}) }, { build }),
    append: (...bodies) => kafka.appendAll(events, 0, bodies.map((body) => eventRecord(body))),
    rows: () => database.rows('select clerk_id, full_name from up_users where clerk_id is not null order by 1'),
    async position() {
      const [row] = await database.rows('select value::int from clerk_sync.next_offset where topic = $1', [events]);
      return row?.value ?? 0;
    },
    committed: async () => (await kafka.committed(topics.KAFKA_GROUP_ID, events))[0] ?? 0,
    end: async () => (await kafka.ends(events))[0],
    async drained(deadlineMs = 30_000) {
      await waitFor(async () => (await pipeline.position()) === (await pipeline.end()), { what: 'everything applied', deadlineMs });
      await waitFor(async () => (await pipeline.committed()) === (await pipeline.end()), { what: 'everything committed', deadlineMs });
    },
  };
  return pipeline;
}

test('fail points: a build with them contains each name, so the search in releases is valid', { skip }, () => {
  assert.deepEqual(namesIn(build), ['CLERK_FAIL_POINTS', ...points]);
});

// --- F1

async function killedByItself(program) {
  await waitFor(() => !program.running(), { what: `${program.name} dead by its own hand`, deadlineMs: 60_000 });
  assert.deepEqual(await program.exited, { code: null, signal: 'SIGKILL' });
}

// How many records of the webhook the topic then has: the sender repeats what got no response.
const ingestPlaces = [
  ['ingest.before_verify', { answered: false, records: [1] }],
  ['ingest.after_verify', { answered: false, records: [1] }],
  ['ingest.after_produce', { answered: false, records: [1, 2] }], // it may have left the machine before the end
  ['ingest.after_report', { answered: false, records: [2] }],
  ['http.after_answer', { answered: true, records: [1] }],
];

test('killed: ingest at each place of a webhook: no 2xx is lost, one user [F1, I1, I4]', inParallel, async (t) => {
  await Promise.all(ingestPlaces.map(([place, expected]) => t.test(place, async () => {
    const pipeline = await newPipeline();
    const [healthy] = await Promise.all([pipeline.ingest(), pipeline.worker()]);
    const first = clerkUser();
    assert.equal((await sendWebhook(healthy.url, webhookSecret, { body: userCreated(first) })).status, 200);

    const doomed = await pipeline.ingest(`${place}=abort`);
    const user = clerkUser();
    const webhook = { id: 'msg_of_the_doomed', body: userCreated(user) };
    const answer = await sendWebhook(doomed.url, webhookSecret, webhook).catch(() => null);
    await killedByItself(doomed);
    assert.equal(answer?.status ?? null, expected.answered ? 200 : null);

    if (!expected.answered) assert.equal((await sendWebhook(healthy.url, webhookSecret, webhook)).status, 200);
    await pipeline.drained();
    const records = (await pipeline.end()) - 1;
    assert.ok(expected.records.includes(records), `${records} records`);
    assert.deepEqual((await pipeline.rows()).map((row) => row.clerk_id).sort(), [first.id, user.id].sort());
  })));
});

// --- F2

// What the database and Kafka show of a batch of three while its worker is dead.
const workerPlaces = [
  ['worker.after_poll', { written: false }],
  ['worker.in_transaction', { written: false }],
  ['worker.after_commit', { written: true }],
  // A position found at the start is committed to Kafka at once, so this one has none.
  ['worker.before_offset_commit', { written: true, untouched: true }],
];

test('killed: a worker at each place of a batch: rows and position are one [F2, I2, I4, I7]', inParallel, async (t) => {
  await Promise.all(workerPlaces.map(([place, expected]) => t.test(place, async () => {
    const pipeline = await newPipeline();
    const [leaving, staying] = [clerkUser(), clerkUser()];
    await pipeline.append(userCreated(leaving), userCreated(staying));
    if (!expected.untouched) {
      const healthy = await pipeline.worker();
      await pipeline.drained();
      assert.equal((await healthy.stop()).code, 0);
    }

    const doomed = await pipeline.worker(`${place}=abort`, { wait: false });
    const fresh = clerkUser();
    await pipeline.append(userDeleted(leaving.id), userUpdated({ ...staying, first_name: 'Grace', updated_at: staying.updated_at + 1 }), userCreated(fresh));
    await killedByItself(doomed);
    const names = Object.fromEntries((await pipeline.rows()).map((row) => [row.clerk_id, row.full_name]));
    const before = { [leaving.id]: 'Ada Lovelace', [staying.id]: 'Ada Lovelace' };
    const after = { [staying.id]: 'Grace Lovelace', [fresh.id]: 'Ada Lovelace' };
    const position = await pipeline.position();
    if (expected.written) assert.ok(position > 0 && (expected.untouched || position > 2), `the position is ${position}`);
    else assert.deepEqual([position, names], [2, before]);
    assert.equal(await pipeline.committed(), expected.untouched ? 0 : 2);

    const next = await pipeline.worker();
    await pipeline.drained();
    assert.deepEqual(Object.fromEntries((await pipeline.rows()).map((row) => [row.clerk_id, row.full_name])), after);
    assert.equal((await next.metrics()).value('clerk_worker_dead_letters_total'), 0);
  })));
});

test('killed: a worker between dead letter and position dead-letters it again [F2, I7, I8]', { skip }, async () => {
  const pipeline = await newPipeline();
  const doomed = await pipeline.worker('worker.after_park=abort', { wait: false });
  const user = clerkUser();
  await kafka.append(pipeline.topics.TOPIC_USER_EVENTS, { ...eventRecord(userCreated(clerkUser())), key: 'user_2somebodyelse' });
  await pipeline.append(userCreated(user));
  await killedByItself(doomed);
  assert.equal(await pipeline.position(), 0);
  assert.equal(await kafka.length(pipeline.topics.TOPIC_DEAD_LETTERS), 1);

  await pipeline.worker();
  await pipeline.drained();
  assert.deepEqual((await pipeline.rows()).map((row) => row.clerk_id), [user.id]);
  assert.equal(await kafka.length(pipeline.topics.TOPIC_DEAD_LETTERS), 2);
});

for (const place of ['worker.on_assigned', 'worker.on_revoked']) {
  test(`killed: a worker in a rebalance (${place}): the others continue alone [F2, I2, I7, I9]`, { skip }, async () => {
    const pipeline = await newPipeline();
    const [steady, doomed] = await Promise.all([pipeline.worker(), pipeline.worker(`${place}=abort`, { wait: false })]);
    await pipeline.append(userCreated(clerkUser()));
    // The group rebalances when members join. It may have been complete before this worker joined: then only the next member triggers it.
    const moved = async () => !doomed.running() || (await pipeline.worker().then(() => !doomed.running()));
    await waitFor(moved, { what: `dead by ${place}`, deadlineMs: 60_000 });
    await killedByItself(doomed);
    await pipeline.append(userCreated(clerkUser()));
    await pipeline.drained();
    assert.equal((await pipeline.rows()).length, 2);
    assert.ok(steady.running());
  });
}

// --- F18

async function zombie(place) {
  const pipeline = await newPipeline();
  const user = clerkUser();
  const frozen = await pipeline.worker(`${place}=stop`);
  await pipeline.append(userCreated(user));
  const state = () => /State:\s+(\w)/.exec(readFileSync(`/proc/${frozen.pid}/status`, 'utf8'))[1];
  await waitFor(() => state() === 'T', { what: 'the worker frozen with its batch' });

  const other = await pipeline.worker(null, { wait: false });
  await pipeline.append(userUpdated({ ...user, first_name: 'Newest', updated_at: user.updated_at + 5 }));
  const begin = Date.now();
  await pipeline.drained(45_000);
  const tookMs = Date.now() - begin;
  assert.deepEqual((await pipeline.rows()).map((row) => row.full_name), ['Newest Lovelace']);

  frozen.signal('SIGCONT');
  await pipeline.append(userCreated(clerkUser()));
  await waitFor(async () => (await pipeline.rows()).length === 2, { what: 'both workers in step', deadlineMs: 30_000 });
  await pipeline.drained();
  assert.equal((await pipeline.rows()).filter((row) => row.full_name === 'Newest Lovelace').length, 1);
  assert.equal(await kafka.length(pipeline.topics.TOPIC_DEAD_LETTERS), 0);
  for (const one of [frozen, other]) {
    await waitFor(async () => (await one.metrics()).value('clerk_worker_paused') === 0, { what: 'no worker paused' });
  }
  return tookMs;
}

test('frozen: a worker that resumes with an old batch changes nothing [F18, I2, I7]', { skip }, async (t) => {
  t.diagnostic(`the other one was done after ${await zombie('worker.after_poll')} ms`);
});

test('frozen: a worker frozen in its transaction holds its locks for seconds only [F18, I9]', { skip }, async (t) => {
  t.diagnostic(`the other one was done after ${await zombie('worker.in_transaction')} ms`);
});
