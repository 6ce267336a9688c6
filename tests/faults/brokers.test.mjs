// needs: database, kafka
// A network between ingest and its broker that is slow, silent, loses responses or flips bits (F5, F6): the sender gets 200 or
// 503 in time, a 200 is in the topic, and everything recovers without help.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connectKafka } from '../e2e/records.mjs';
import { clerkUser, command, newTablesDatabase, newTopics, sendWebhook, startIngest, startWorker, uniqueName, userCreated, waitFor, webhookSecret } from '../e2e/support.mjs';
import { Gate } from './gate.mjs';
import { kafkaServer } from '../tools/scripts.mjs';

const folder = path.join(process.env.TEST_RUN_DIR, uniqueName('kafka'));
const publishWithinMs = 3000;

let gate;
let brokers; // past the gate
let kafka;

before(async () => {
  gate = await Gate.open();
  brokers = await kafkaServer('start', folder, '--gates', String(gate.port));
  gate.leadTo(Number(readFileSync(path.join(folder, 'broker-1.gated'), 'utf8')));
  kafka = await connectKafka(brokers);
});

after(async () => {
  await gate.close();
  await kafkaServer('remove', folder);
});

async function newPipeline() {
  const [database, topics] = await Promise.all([newTablesDatabase(), newTopics({ brokers, partitions: 2 })]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url, KAFKA_BROKERS: brokers })).code, 0);
  const [ingest, worker, records] = await Promise.all([
    startIngest({ ...topics, KAFKA_BROKERS: `127.0.0.1:${gate.port}`, PUBLISH_TIMEOUT_MS: String(publishWithinMs) }),
    startWorker({ ...topics, KAFKA_BROKERS: brokers, DATABASE_URL: database.url }),
    kafka.follow(topics.TOPIC_USER_EVENTS),
  ]);
  const pipeline = {
    ingest, worker, records,
    // {status, ms} of a webhook about a new user, or of the same one again.
    async send(id, user = clerkUser()) {
      const begin = Date.now();
      const answer = await sendWebhook(ingest.url, webhookSecret, { id, body: userCreated(user) });
      return { user, id, status: answer.status, retryAfter: answer.headers.get('retry-after'), ms: Date.now() - begin };
    },
    inLog: (id) => records.filter(({ headers }) => headers.ce_id === id).length,
    until: (count) => waitFor(async () => (await database.rows('select 1 from up_users where clerk_id is not null')).length === count, { what: `${count} users`, deadlineMs: 30_000 }),
    async refusedInTime(id) {
      const answer = await pipeline.send(id);
      assert.equal(answer.status, 503);
      assert.match(answer.retryAfter, /^[1-9][0-9]*$/);
      assert.ok(answer.ms < publishWithinMs + 1500, `answered after ${answer.ms} ms`);
      return answer;
    },
    acceptedAgain: ({ id, user }) => waitFor(async () => (await pipeline.send(id, user)).status === 200, { what: 'accepted again', deadlineMs: 30_000 }),
    async end() {
      await Promise.all([ingest.stop(), worker.stop()]);
    },
  };
  assert.equal((await pipeline.send('msg_works')).status, 200);
  await pipeline.until(1);
  return pipeline;
}

test('brokers: a slow one delays responses, a silent one gives 503 [F5, I1, I6, I9]', async () => {
  const pipeline = await newPipeline();
  gate.slow(500);
  const slow = await pipeline.send('msg_slow');
  assert.equal(slow.status, 200);
  assert.ok(slow.ms >= 500);
  gate.restore();

  gate.freeze(); // half-open: no reset, no response
  const refused = await pipeline.refusedInTime('msg_halfopen');
  const threads = () => Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${pipeline.ingest.pid}/status`, 'utf8'))[1]);
  const before = threads();
  await Promise.all(Array.from({ length: 30 }, (_, n) => pipeline.refusedInTime(`msg_halfopen${n}`)));
  assert.ok(threads() <= before, `${before} threads, then ${threads()}`);
  assert.equal((await fetch(`${pipeline.ingest.adminUrl}/livez`)).status, 200);

  gate.restore();
  await pipeline.acceptedAgain(refused);
  await waitFor(() => pipeline.inLog('msg_halfopen') >= 1, { what: 'its record' });
  await pipeline.end();
});

test('brokers: a lost acknowledgement is 503, the retry 200, one user [F6, I1, I4]', async () => {
  const pipeline = await newPipeline();
  gate.loseAnswers();
  const refused = await pipeline.refusedInTime('msg_unheard');

  gate.restore();
  await pipeline.acceptedAgain(refused);
  await waitFor(() => pipeline.inLog('msg_unheard') >= 2, { what: 'the record that was unheard, and the one that was not' });
  await pipeline.until(2);
  assert.equal((await pipeline.worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  await pipeline.end();
});

test('brokers: flipped bits are detected, the webhook is accepted [I1]', async () => {
  const pipeline = await newPipeline();
  const user = clerkUser({ last_name: 'Flippable' });
  gate.corrupt('Flippable', 1);
  await waitFor(async () => (await pipeline.send('msg_flipped', user)).status === 200, { what: 'accepted', deadlineMs: 30_000 });
  gate.restore();
  await waitFor(() => pipeline.inLog('msg_flipped') >= 1, { what: 'its record' });
  for (const { headers, value } of pipeline.records) {
    if (headers.ce_id === 'msg_flipped') assert.equal(JSON.parse(value).data.last_name, 'Flippable');
  }
  await pipeline.until(2);
  await pipeline.end();
});

test('brokers: 500 deliveries at once after an outage all arrive [F24, I1, I6, I9]', async () => {
  const pipeline = await newPipeline();
  gate.refuse();
  const refused = await pipeline.refusedInTime('msg_first');
  const waiting = [refused, ...Array.from({ length: 500 }, (_, n) => ({ id: `msg_herd${n}`, user: clerkUser() }))];
  gate.restore();

  let open = waiting;
  await waitFor(async () => {
    const answers = await Promise.all(open.map(({ id, user }) => pipeline.send(id, user)));
    for (const { status, retryAfter, ms } of answers) {
      assert.ok(status === 200 || (status === 503 && retryAfter), `${status}`);
      assert.ok(ms < publishWithinMs + 3000, `answered after ${ms} ms`);
    }
    open = answers.filter(({ status }) => status !== 200);
    return open.length === 0;
  }, { what: 'all accepted', deadlineMs: 40_000 });
  await pipeline.until(502);
  await pipeline.end();
});
