// What brokers do for minutes: they are away under a trickle of webhooks (F3), or they let ingest write a few records a second
// (F7, a quota). Nothing grows with time, everybody is answered in time, and nothing is lost.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { connectKafka } from '../../e2e/records.mjs';
import { clerkUser, command, newSigningKey, newTablesDatabase, newTopics, repository, sendWebhook, startIngest, startWorker, uniqueName, userCreated, waitFor, webhookSecret } from '../../e2e/support.mjs';

const run = promisify(execFile);
const local = async (script, ...args) => (await run(path.join(repository, 'deploy/local', script), args)).stdout.trim();
const folder = path.join(process.env.TEST_RUN_DIR, uniqueName('kafka'));
const publishTimeoutMs = 3000;
const answerDeadlineMs = 10_000;
const megabyte = 1 << 20;

let brokers;
before(async () => {
  brokers = await local('kafka', 'start', folder);
});
after(() => local('kafka', 'remove', folder));

async function newRoad() {
  const [database, topics, key] = [await newTablesDatabase(), await newTopics({ brokers, partitions: 3 }), newSigningKey()];
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const settings = { ...topics, KAFKA_BROKERS: brokers, DATABASE_URL: database.url };
  const [ingest, worker] = await Promise.all([
    startIngest({ ...settings, PUBLISH_TIMEOUT_MS: String(publishTimeoutMs), CLERK_JWT_KEY: key.pem, CLERK_ISSUER: 'https://clerk.example.com' }),
    startWorker(settings),
  ]);
  return {
    topics, ingest, worker,
    async webhook(id, user) {
      const begin = Date.now();
      const { status, headers } = await sendWebhook(ingest.url, webhookSecret, { id, body: userCreated(user) });
      return { status, retryAfter: headers.get('retry-after'), tookMs: Date.now() - begin };
    },
    verify: async (user) => (await fetch(`${ingest.url}/v1/auth/verify`, { headers: { authorization: `Bearer ${key.sign({ sub: user.id })}` } })).status,
    arrived: (users) => waitFor(async () => (await database.rows('select 1 from up_users where clerk_id = any($1)', [users.map(({ id }) => id)])).length === users.length, { what: `${users.length} users`, deadlineMs: 60_000 }),
  };
}

const until = (time, what) => waitFor(() => Date.now() >= time, { what, deadlineMs: time - Date.now() + 10_000 });

// What a process holds, as the system counts it.
function heldBy({ pid }) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    bytes: Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024,
    threads: Number(/Threads:\s+(\d+)/.exec(status)[1]),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}

// The most of each within some seconds: a trickle has its ups and downs.
async function mostHeld(program, forMs) {
  const most = { bytes: 0, threads: 0, descriptors: 0 };
  const end = Date.now() + forMs;
  await waitFor(() => {
    for (const [name, value] of Object.entries(heldBy(program))) most[name] = Math.max(most[name], value);
    return Date.now() >= end;
  }, { what: 'looks', deadlineMs: forMs + 10_000, everyMs: 100 });
  return most;
}

test('F3: all brokers are away for a minute and a half: each webhook is 503 with Retry-After in time, who is known signs in, and nothing grows (I1, I9)', async (t) => {
  const road = await newRoad();
  const known = clerkUser();
  assert.equal((await road.webhook('msg_known', known)).status, 200);
  await road.arrived([known]);

  await local('kafka', 'stop', folder);
  const away = Date.now();
  const [sent, answers, signIns] = [[], [], []];
  let over = false;
  const trickle = (async () => {
    while (!over) {
      const [id, user] = [`msg_long${sent.length}`, clerkUser()];
      sent.push([id, user]);
      answers.push(road.webhook(id, user));
      if (sent.length % 5 === 0) signIns.push(await road.verify(known));
      await until(away + 250 * sent.length, 'the next webhook');
    }
  })();
  await until(away + 25_000, 'half a minute');
  const programs = [road.ingest, road.worker];
  const early = await Promise.all(programs.map((one) => mostHeld(one, 5000)));
  await until(away + 85_000, 'a minute and a half');
  const late = await Promise.all(programs.map((one) => mostHeld(one, 5000)));
  over = true;
  await trickle;

  const heard = await Promise.all(answers);
  t.diagnostic(JSON.stringify({ webhooks: heard.length, slowestMs: Math.max(...heard.map(({ tookMs }) => tookMs)), signIns: signIns.length, early, late }));
  for (const { status, retryAfter, tookMs } of heard) {
    assert.equal(status, 503);
    assert.match(retryAfter, /^[1-9][0-9]*$/);
    assert.ok(tookMs < answerDeadlineMs, `answered after ${tookMs} ms`);
  }
  assert.deepEqual([...new Set(signIns)], [200]);
  for (const [i, { name }] of programs.entries()) {
    assert.ok(late[i].bytes <= early[i].bytes + 4 * megabyte, `${name}: ${early[i].bytes} bytes, then ${late[i].bytes}`);
    assert.ok(late[i].threads <= early[i].threads, `${name}: ${early[i].threads} threads, then ${late[i].threads}`);
    assert.ok(late[i].descriptors <= early[i].descriptors + 8, `${name}: ${early[i].descriptors} descriptors, then ${late[i].descriptors}`);
  }

  await local('kafka', 'start', folder);
  const users = sent.map(([, user]) => user);
  await Promise.all(sent.map(([id, user]) => waitFor(async () => (await road.webhook(id, user)).status === 200, { what: `${id} accepted`, deadlineMs: 60_000, everyMs: 500 })));
  await road.arrived(users);
  assert.equal((await road.worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  await Promise.all(programs.map((one) => one.stop()));
});

test('F7: brokers that throttle make webhooks slow or 503, in time, and lose none; without the quota all is as before (I1, I9)', async (t) => {
  const road = await newRoad();
  const kafka = await connectKafka(brokers);
  const quota = (...change) => local('kafka', 'tools', 'configs', '--bootstrap-server', brokers, '--alter', ...change, '--entity-type', 'clients', '--entity-default');
  const first = clerkUser();
  assert.equal((await road.webhook('msg_free', first)).status, 200);

  await quota('--add-config', 'producer_byte_rate=1500');
  const users = Array.from({ length: 60 }, () => clerkUser());
  const heard = [];
  for (const begin of [0, 20, 40]) {
    heard.push(...(await Promise.all(users.slice(begin, begin + 20).map((user, n) => road.webhook(`msg_throttled${begin + n}`, user)))));
  }
  t.diagnostic(JSON.stringify({ answers: heard.length, refused: heard.filter(({ status }) => status === 503).length, slowestMs: Math.max(...heard.map(({ tookMs }) => tookMs)) }));
  for (const { status, retryAfter, tookMs } of heard) {
    assert.ok(status === 200 || (status === 503 && Number(retryAfter) >= 1), `answered ${status}`);
    assert.ok(tookMs < answerDeadlineMs, `answered after ${tookMs} ms`);
  }
  assert.ok(heard.some(({ status, tookMs }) => status === 503 || tookMs > 1000), 'nobody was throttled');
  const taken = users.filter((_, n) => heard[n].status === 200);
  await road.arrived(taken); // a 200 is a 200, throttled or not

  await quota('--delete-config', 'producer_byte_rate');
  await Promise.all(users.map((user, n) => waitFor(async () => (await road.webhook(`msg_throttled${n}`, user)).status === 200, { what: 'accepted', deadlineMs: 60_000, everyMs: 200 })));
  await road.arrived([first, ...users]);
  assert.equal(await kafka.length(road.topics.TOPIC_DEAD_LETTERS), 0);
  assert.ok((await road.webhook('msg_after', clerkUser())).tookMs < answerDeadlineMs);
});
