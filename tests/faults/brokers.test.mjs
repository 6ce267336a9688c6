// needs: database, kafka
// A network between ingest and its broker that is slow, silent, loses answers or flips bits (F5, F6): the sender hears 200 or
// 503 in time, a 200 is in the log, and all goes on by itself.

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

async function newRoad() {
  const [database, topics] = await Promise.all([newTablesDatabase(), newTopics({ brokers, partitions: 2 })]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url, KAFKA_BROKERS: brokers })).code, 0);
  const [ingest, worker, records] = await Promise.all([
    startIngest({ ...topics, KAFKA_BROKERS: `127.0.0.1:${gate.port}`, PUBLISH_TIMEOUT_MS: String(publishWithinMs) }),
    startWorker({ ...topics, KAFKA_BROKERS: brokers, DATABASE_URL: database.url }),
    kafka.follow(topics.TOPIC_USER_EVENTS),
  ]);
  const road = {
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
      const answer = await road.send(id);
      assert.equal(answer.status, 503);
      assert.match(answer.retryAfter, /^[1-9][0-9]*$/);
      assert.ok(answer.ms < publishWithinMs + 1500, `answered after ${answer.ms} ms`);
      return answer;
    },
    acceptedAgain: ({ id, user }) => waitFor(async () => (await road.send(id, user)).status === 200, { what: 'accepted again', deadlineMs: 30_000 }),
    async end() {
      await Promise.all([ingest.stop(), worker.stop()]);
    },
  };
  assert.equal((await road.send('msg_works')).status, 200);
  await road.until(1);
  return road;
}

test('F5: a slow broker makes answers slow, not wrong; one that says nothing is 503 within the deadline, and it passes (I1, I6, I9)', async () => {
  const road = await newRoad();
  gate.slow(500);
  const slow = await road.send('msg_slow');
  assert.equal(slow.status, 200);
  assert.ok(slow.ms >= 500);
  gate.heal();

  gate.freeze(); // half-open: no reset, no answer
  const refused = await road.refusedInTime('msg_halfopen');
  const threads = () => Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${road.ingest.pid}/status`, 'utf8'))[1]);
  const before = threads();
  await Promise.all(Array.from({ length: 30 }, (_, n) => road.refusedInTime(`msg_halfopen${n}`)));
  assert.ok(threads() <= before, `${before} threads, then ${threads()}`);
  assert.equal((await fetch(`${road.ingest.adminUrl}/livez`)).status, 200);

  gate.heal();
  await road.acceptedAgain(refused);
  await waitFor(() => road.inLog('msg_halfopen') >= 1, { what: 'its record' });
  await road.end();
});

test('F6: the record arrives and its acknowledgement is lost: 503, the same webhook again is 200, one user (I1, I4)', async () => {
  const road = await newRoad();
  gate.loseAnswers();
  const refused = await road.refusedInTime('msg_unheard');

  gate.heal();
  await road.acceptedAgain(refused);
  await waitFor(() => road.inLog('msg_unheard') >= 2, { what: 'the record that was unheard, and the one that was not' });
  await road.until(2);
  assert.equal((await road.worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  await road.end();
});

test('bits that flip on the way are noticed: nothing wrong is in the log, and the webhook is accepted (I1)', async () => {
  const road = await newRoad();
  const user = clerkUser({ last_name: 'Flippable' });
  gate.corrupt('Flippable', 1);
  await waitFor(async () => (await road.send('msg_flipped', user)).status === 200, { what: 'accepted', deadlineMs: 30_000 });
  gate.heal();
  await waitFor(() => road.inLog('msg_flipped') >= 1, { what: 'its record' });
  for (const { headers, value } of road.records) {
    if (headers.ce_id === 'msg_flipped') assert.equal(JSON.parse(value).data.last_name, 'Flippable');
  }
  await road.until(2);
  await road.end();
});

test('F24: five hundred deliveries at once after an outage: each is 200 or 503 with Retry-After within the deadline, and all arrive (I1, I6, I9)', async () => {
  const road = await newRoad();
  gate.refuse();
  const refused = await road.refusedInTime('msg_first');
  const waiting = [refused, ...Array.from({ length: 500 }, (_, n) => ({ id: `msg_herd${n}`, user: clerkUser() }))];
  gate.heal();

  let open = waiting;
  await waitFor(async () => {
    const answers = await Promise.all(open.map(({ id, user }) => road.send(id, user)));
    for (const { status, retryAfter, ms } of answers) {
      assert.ok(status === 200 || (status === 503 && retryAfter), `${status}`);
      assert.ok(ms < publishWithinMs + 3000, `answered after ${ms} ms`);
    }
    open = answers.filter(({ status }) => status !== 200);
    return open.length === 0;
  }, { what: 'all accepted', deadlineMs: 40_000 });
  await road.until(502);
  await road.end();
});
