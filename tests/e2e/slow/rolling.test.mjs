// needs: database, kafka, strapi
// A deployment under load: two of each program, replaced one by one while webhooks arrive at 200 per second and those
// without a 2xx are sent again, as Svix does. Every user whose event got 2xx has a row in the end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBalancer } from '../balancer.mjs';
import { assertWellFormed, linesOf } from '../log-lines.mjs';
import { connectKafka } from '../records.mjs';
import {
  clerkUser, command, newSiteDatabase, newTopics, sendWebhook, startIngest, startWorker, userCreated, userUpdated,
  waitFor, webhookSecret,
} from '../support.mjs';

const ratePerSecond = 200;
const rounds = 2;
const underWayMax = 300; // a machine that falls behind sends more slowly: instances have bounds on connections

test('rolling update: replacing both programs under load loses no 2xx [I1, I2, I7, I9]', async (t) => {
  const [database, topics, kafka] = await Promise.all([newSiteDatabase(), newTopics(), connectKafka()]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const newIngest = () => startIngest({ ...topics, LOG_FORMAT: 'json' });
  const newWorker = () => startWorker({ ...topics, DATABASE_URL: database.url, LOG_FORMAT: 'json' });
  const [ingests, workers] = await Promise.all([Promise.all([newIngest(), newIngest()]), Promise.all([newWorker(), newWorker()])]);
  const ended = [];
  const balance = startBalancer(ingests);

  // The newest name that was acknowledged, and the newest that was sent, for each user.
  const acknowledged = new Map();
  const tally = {};
  const broken = [];
  const count = (what) => (tally[what] = (tally[what] ?? 0) + 1);
  async function deliver(user, body) {
    for (let attempt = 0; attempt < 20; attempt++) {
      const to = balance.next();
      const answer = await sendWebhook(to.url, webhookSecret, { body, id: `msg_${user.id.slice(5)}_${user.updated_at}` }).catch((error) => ({ error }));
      count(answer.error ? 'broken' : answer.status);
      if (answer.error) broken.push(`${to.pid}: ${answer.error.cause?.code ?? answer.error.name}`);
      if (answer.status === 503) assert.match(answer.headers.get('retry-after'), /^[1-9][0-9]*$/);
      if (answer.status === 200) {
        if ((acknowledged.get(user.id)?.updated_at ?? 0) < user.updated_at) acknowledged.set(user.id, user);
        return;
      }
    }
    assert.fail(`not taken in 20 attempts: ${JSON.stringify(tally)}`);
  }

  const users = [];
  let loading = true;
  const sent = [];
  let underWay = 0;
  let due = Date.now();
  const load = waitFor(() => {
    for (; due <= Date.now() && loading && underWay < underWayMax; due += 1000 / ratePerSecond) {
      const old = sent.length % 4 === 3 && users[(sent.length * 7) % users.length];
      const user = old ? { ...old, first_name: `Version${sent.length}`, updated_at: old.updated_at + sent.length } : clerkUser();
      if (!old) users.push(user);
      underWay++;
      sent.push(deliver(user, old ? userUpdated(user) : userCreated(user)).finally(() => underWay--));
    }
    return !loading;
  }, { what: 'the end of the load', deadlineMs: 600_000, everyMs: 5 });

  async function replaceOne(list, i, make, kind) {
    const before = sent.length;
    await waitFor(() => sent.length > before + ratePerSecond, { what: 'a second of load', deadlineMs: 20_000 });
    const begin = Date.now();
    const leaving = list[i];
    const end = await leaving.stop();
    t.diagnostic(`${kind} ${i} ended after ${Date.now() - begin} ms`);
    assert.deepEqual(end, { code: 0, signal: null }, leaving.tail());
    assert.ok(Date.now() - begin <= 9_000);
    ended.push(leaving);
    const starting = Date.now();
    list[i] = await make();
    t.diagnostic(`${kind} ${i} was ready again ${Date.now() - starting} ms after its start`);
    await waitFor(async () => balance.readyCount() === ingests.length, { what: 'both ingests in turn' });
  }
  for (let round = 0; round < rounds; round++) {
    for (const i of [0, 1]) {
      await replaceOne(ingests, i, newIngest, 'ingest');
      await replaceOne(workers, i, newWorker, 'worker');
    }
  }
  loading = false;
  await load;
  await Promise.all(sent);
  await balance.end();
  t.diagnostic(`${sent.length} events, answers ${JSON.stringify(tally)}`);
  assert.deepEqual(broken, []);
  assert.deepEqual(Object.keys(tally).filter((status) => !['200', '503'].includes(status)), []);

  const names = async () => new Map((await database.rows('select clerk_id, full_name from up_users where clerk_id is not null')).map((row) => [row.clerk_id, row.full_name]));
  const wanted = [...acknowledged.values()];
  const wrong = async () => {
    const found = await names();
    return wanted.filter((user) => found.get(user.id) !== `${user.first_name} Lovelace`);
  };
  await waitFor(async () => (await wrong()).length === 0, { what: 'every acknowledged event in the rows', deadlineMs: 60_000, everyMs: 250 });
  assert.equal((await names()).size, users.length);
  assert.equal(await kafka.length(topics.TOPIC_DEAD_LETTERS), 0);
  for (const worker of workers) assert.equal((await worker.metrics()).value('clerk_worker_paused'), 0);
  for (const program of ended) {
    assertWellFormed(program);
    assert.deepEqual(linesOf(program).filter(({ level }) => level === 'error'), []);
  }
});
