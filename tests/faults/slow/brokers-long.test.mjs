// needs: database, kafka
// Long broker faults: they are unreachable under a steady load that then arrives at once (F3, F24), or they let ingest
// write a few records per second (F7, a quota). Nothing grows with time, every request gets a response in time, nothing is lost.
//
//     OUTAGE_MINUTES=60 tests/run --slow --only faults/slow/brokers-long

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connectKafka } from '../../e2e/records.mjs';
import { clerkUser, command, newSigningKey, newTablesDatabase, newTopics, sendWebhook, startIngest, startWorker, uniqueName, userCreated, waitFor, webhookSecret } from '../../e2e/support.mjs';
import { Peer, watchFootprint, webhookText } from '../crowd.mjs';
import { kafkaServer } from '../../tools/scripts.mjs';

const folder = path.join(process.env.TEST_RUN_DIR, uniqueName('kafka'));
const publishTimeoutMs = 3000;
const answerDeadlineMs = 10_000;
// The catalogue requires ten minutes (F3) and an hour (F24): OUTAGE_MINUTES. `rate` per second while the brokers are unreachable;
// afterwards ten times the usual rate of 200 per second.
const outage = { minutes: Number(process.env.OUTAGE_MINUTES ?? 1.5), rate: 20, herdRate: 2000 };

let brokers;
before(async () => {
  brokers = await kafkaServer('start', folder);
});
after(() => kafkaServer('remove', folder));

async function newPipeline() {
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
    verify: async (user, claims = {}) => (await fetch(`${ingest.url}/v1/auth/verify`, { headers: { authorization: `Bearer ${key.sign({ sub: user.id, ...claims })}` } })).status,
    arrived: (users) => waitFor(async () => (await database.rows('select 1 from up_users where clerk_id = any($1)', [users.map(({ id }) => id)])).length === users.length, { what: `${users.length} users`, deadlineMs: 60_000 }),
  };
}

// Requests due at a moment; earlier ones may still wait for their responses.
const until = (time, what) => waitFor(() => Date.now() >= time, { what, deadlineMs: time - Date.now() + 10_000 });
const portOf = ({ url }) => Number(new URL(url).port);

// The highest value of each within some time: a steady load varies.
async function mostHeld(program, forMs) {
  const watch = watchFootprint(program);
  await until(Date.now() + forMs, 'looks');
  return watch.stop();
}

// One webhook over a connection of its own, as of one sender among many: {status, retryAfter, ms}.
async function deliver(port, { id, user }) {
  const peer = new Peer(port).send(webhookText(webhookSecret, id, userCreated(user)));
  const answer = await peer.answer();
  peer.reset();
  assert.ok(answer, `${id} was cut off without an answer`);
  const { status, headers, at } = answer;
  assert.ok(status === 200 || (status === 503 && /^[1-9][0-9]*$/.test(headers['retry-after'])), `${id}: ${status}, Retry-After ${headers['retry-after']}`);
  return { status, retryAfter: Number(headers['retry-after']), ms: at - peer.begun };
}

const percentile = (values, share) => Math.round([...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)]);
const longest = (answers) => Math.round(Math.max(...answers.map(({ ms }) => ms)));

// Meanwhile verifies the user's token every quarter of a second: {status, ms}.
function keepSigningIn(pipeline, user) {
  const answers = [];
  let over = false;
  const asking = (async () => {
    for (let due = Date.now(); !over; due += 250) {
      await until(due, 'the next sign-in');
      const begin = performance.now();
      answers.push({ status: await pipeline.verify(user), ms: performance.now() - begin });
    }
  })();
  return async () => {
    over = true;
    await asking;
    return answers;
  };
}

// Webhooks at an even pace until the moment; all are rejected. Returns what must be sent again.
async function refusedUntil(end, pipeline) {
  const [sent, answers] = [[], []];
  for (let due = Date.now(); due < end; due += 1000 / outage.rate) {
    await until(due, 'the next webhook');
    sent.push({ id: uniqueName('msg_long'), user: clerkUser() });
    answers.push(deliver(portOf(pipeline.ingest), sent.at(-1)));
  }
  const responses = await Promise.all(answers);
  assert.deepEqual([...new Set(responses.map(({ status }) => status))], [503]);
  assert.ok(longest(responses) < answerDeadlineMs, `answered after ${longest(responses)} ms`);
  return { sent, longestMs: longest(responses) };
}

// All of them at once, at `herdRate`; a shed request is sent again after its Retry-After. Returns every response.
async function herd(pipeline, waiting) {
  const answers = [];
  let open = waiting.length;
  const one = async (webhook) => {
    for (;;) {
      const answer = await deliver(portOf(pipeline.ingest), webhook);
      answers.push(answer);
      if (answer.status === 200) break;
      await until(Date.now() + answer.retryAfter * 1000, 'the time of Retry-After');
    }
    open -= 1;
  };
  const all = [];
  const begin = Date.now();
  for (const [n, webhook] of waiting.entries()) {
    if (n % 100 === 0) await until(begin + (n * 1000) / outage.herdRate, 'the next hundred');
    all.push(one(webhook));
  }
  await Promise.all(all);
  assert.equal(open, 0);
  return answers;
}

// ingest remembers a bounded number of webhook ids and of tokens (ingest/README.md, Threads and bounds): its memory is
// compared once these are full.
const remembered = 8192;
async function fillItsMemory(pipeline, user) {
  await herd(pipeline, Array.from({ length: remembered }, () => ({ id: uniqueName('msg_before'), user })));
  for (let n = 0; n < remembered; n += 64) {
    const some = await Promise.all(Array.from({ length: 64 }, (_, i) => pipeline.verify(user, { sid: `sess_before${n + i}` })));
    assert.deepEqual([...new Set(some)], [200]);
  }
}

test('brokers: a long outage gives 503, the burst after it is stored [F3, F24, I1, I6, I9]', async (t) => {
  const pipeline = await newPipeline();
  const kafka = await connectKafka(brokers);
  const known = clerkUser();
  assert.equal((await pipeline.webhook('msg_known', known)).status, 200);
  await pipeline.arrived([known]);
  await fillItsMemory(pipeline, known);
  const records = await kafka.follow(pipeline.topics.TOPIC_USER_EVENTS);

  await kafkaServer('stop', folder);
  const outageBegin = Date.now();
  const back = outageBegin + outage.minutes * 60_000;
  const stopSigningIn = keepSigningIn(pipeline, known);
  const refusing = refusedUntil(back, pipeline);
  const programs = [pipeline.ingest, pipeline.worker];
  await until(outageBegin + 25_000, 'half a minute');
  const early = await Promise.all(programs.map((one) => mostHeld(one, 20_000)));
  await until(back - 20_000, 'nearly the end');
  const late = await Promise.all(programs.map((one) => mostHeld(one, 20_000)));
  const { sent, longestMs } = await refusing;
  const meanwhile = await stopSigningIn();
  t.diagnostic(JSON.stringify({ minutes: outage.minutes, refused: sent.length, longestMs, signIns: meanwhile.length, signInP99Ms: percentile(meanwhile.map(({ ms }) => ms), 0.99), early, late }));
  assert.deepEqual([...new Set(meanwhile.map(({ status }) => status))], [200]);
  for (const [i, { name }] of programs.entries()) {
    assert.ok(late[i].memoryMiB <= early[i].memoryMiB + 4, `${name}: ${early[i].memoryMiB} MiB, then ${late[i].memoryMiB}`);
    assert.ok(late[i].threads <= early[i].threads, `${name}: ${early[i].threads} threads, then ${late[i].threads}`);
    assert.ok(late[i].descriptors <= early[i].descriptors + 8 + outage.rate, `${name}: ${early[i].descriptors} descriptors, then ${late[i].descriptors}`);
  }

  await kafkaServer('start', folder);
  const first = { id: 'msg_first', user: clerkUser() };
  await waitFor(async () => (await deliver(portOf(pipeline.ingest), first)).status === 200, { what: 'the first is accepted again', deadlineMs: 60_000, everyMs: 500 });
  const stop = keepSigningIn(pipeline, known);
  const watch = watchFootprint(pipeline.ingest);
  const begin = Date.now();
  const answers = await herd(pipeline, sent);
  const herdMs = Date.now() - begin;
  const beside = await stop();
  const most = watch.stop();
  await waitFor(() => records.length > sent.length + remembered, { what: 'all in the log', deadlineMs: 60_000, everyMs: 500 });
  const inLog = new Set(records.map(({ headers }) => headers.ce_id));
  assert.deepEqual(sent.filter(({ id }) => !inLog.has(id)), []);
  await pipeline.arrived(sent.map(({ user }) => user));
  const accepted = answers.filter(({ status }) => status === 200);
  t.diagnostic(JSON.stringify({
    herd: sent.length, acceptedAfterMs: herdMs, shed: answers.length - accepted.length, acceptedP99Ms: percentile(accepted.map(({ ms }) => ms), 0.99), longestMs: longest(answers),
    signIns: beside.length, signInP99Ms: percentile(beside.map(({ ms }) => ms), 0.99), ingestMiB: Math.round(most.memoryMiB), appliedAfterMs: Date.now() - begin,
  }));
  assert.ok(longest(answers) < answerDeadlineMs, `answered after ${longest(answers)} ms`);
  assert.deepEqual([...new Set(beside.map(({ status }) => status))], [200]);
  assert.ok(longest(beside) < answerDeadlineMs, `signed in after ${longest(beside)} ms`);
  assert.ok(most.threads <= early[0].threads, `${early[0].threads} threads, then ${most.threads}`);
  assert.equal((await pipeline.worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  await Promise.all(programs.map((one) => one.stop()));
});

test('brokers: throttling delays webhooks or gives 503, loses none, then recovers [F7, I1, I9]', async (t) => {
  const pipeline = await newPipeline();
  const kafka = await connectKafka(brokers);
  const quota = (...change) => kafkaServer('tools', 'configs', '--bootstrap-server', brokers, '--alter', ...change, '--entity-type', 'clients', '--entity-default');
  const first = clerkUser();
  assert.equal((await pipeline.webhook('msg_free', first)).status, 200);

  await quota('--add-config', 'producer_byte_rate=1500');
  const users = Array.from({ length: 60 }, () => clerkUser());
  const responses = [];
  for (const begin of [0, 20, 40]) {
    responses.push(...(await Promise.all(users.slice(begin, begin + 20).map((user, n) => pipeline.webhook(`msg_throttled${begin + n}`, user)))));
  }
  t.diagnostic(JSON.stringify({ answers: responses.length, refused: responses.filter(({ status }) => status === 503).length, slowestMs: Math.max(...responses.map(({ tookMs }) => tookMs)) }));
  for (const { status, retryAfter, tookMs } of responses) {
    assert.ok(status === 200 || (status === 503 && Number(retryAfter) >= 1), `answered ${status}`);
    assert.ok(tookMs < answerDeadlineMs, `answered after ${tookMs} ms`);
  }
  assert.ok(responses.some(({ status, tookMs }) => status === 503 || tookMs > 1000), 'no webhook was throttled');
  const taken = users.filter((_, n) => responses[n].status === 200);
  await pipeline.arrived(taken); // a 200 is a 200, throttled or not

  await quota('--delete-config', 'producer_byte_rate');
  await Promise.all(users.map((user, n) => waitFor(async () => (await pipeline.webhook(`msg_throttled${n}`, user)).status === 200, { what: 'accepted', deadlineMs: 60_000, everyMs: 200 })));
  await pipeline.arrived([first, ...users]);
  assert.equal(await kafka.length(pipeline.topics.TOPIC_DEAD_LETTERS), 0);
  assert.ok((await pipeline.webhook('msg_after', clerkUser())).tookMs < answerDeadlineMs);
});
