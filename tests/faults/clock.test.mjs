// needs: database, kafka
// The machine's clock is wrong, and steps (F20): ten minutes either way, and a few seconds. libfaketime gives each program a
// time of the test's choice; the monotonic clock is unchanged, as in a real step. Tokens and signatures depend on the wall clock,
// and a wrong one rejects valid ones; deadlines and the order of data do not.

import assert from 'node:assert/strict';
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { connectKafka, eventRecord } from '../e2e/records.mjs';
import { clerkUser, command, freePort, newSigningKey, newTablesDatabase, newTopics, readiness, sendWebhook, startIngest, startWorker, uniqueName, userCreated, userDeleted, userUpdated, waitFor, webhookSecret } from '../e2e/support.mjs';

const minute = 60;

// Debian's package faketime; its folder contains the machine's architecture.
function findLibrary() {
  for (const folder of readdirSync('/usr/lib')) {
    try {
      const found = readdirSync(`/usr/lib/${folder}/faketime`).find((name) => name.startsWith('libfaketimeMT.so'));
      if (found) return `/usr/lib/${folder}/faketime/${found}`;
    } catch { /* not this one */ }
  }
  return null;
}
const library = findLibrary();
const skip = library ? false : 'libfaketime is missing: run deploy/local/install-deps --test';

// A clock for one program: its environment, and its offset from the real time.
function newClock() {
  const file = path.join(process.env.TEST_RUN_DIR, uniqueName('clock'));
  const step = (seconds) => {
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
    renameSync(`${file}.new`, file);
  };
  step(0);
  return { step, environment: { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' } };
}

async function newSite() {
  const [database, topics] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 1 })]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  return { database, topics };
}

test('clock: an ingest whose clock steps rejects all, reports it, and recovers [F20, I1, I5]', { skip }, async () => {
  const [{ database, topics }, key, clock] = [await newSite(), newSigningKey(), newClock()];
  const worker = await startWorker({ ...topics, DATABASE_URL: database.url });
  const ingest = await startIngest({ ...topics, DATABASE_URL: database.url, CLERK_JWT_KEY: key.pem, CLERK_ISSUER: 'https://clerk.example.com', ...clock.environment });
  const webhook = async (user = clerkUser()) => (await sendWebhook(ingest.url, webhookSecret, { body: userCreated(user) })).status;
  const bearer = async (id, claims) => (await fetch(`${ingest.url}/v1/auth/verify`, { headers: { authorization: `Bearer ${key.sign({ sub: id, ...claims })}` } })).status;
  const suspect = async () => (await ingest.metrics()).value('clerk_ingest_clock_suspect');
  const known = clerkUser();
  const allIsWell = async () => {
    assert.deepEqual([await webhook(known), await suspect(), await bearer(known.id)], [200, 0, 200]);
  };
  assert.equal(await webhook(known), 200);
  await waitFor(async () => (await database.rows('select 1 from up_users where clerk_id = $1', [known.id])).length === 1, { what: 'the row' });
  await allIsWell();

  for (const seconds of [-10 * minute, 10 * minute]) {
    clock.step(seconds);
    assert.deepEqual([await webhook(), await suspect(), await bearer(known.id)], [401, 1, 401], `a step of ${seconds} s`);
    assert.equal((await fetch(`${ingest.adminUrl}/livez`)).status, 200);
    clock.step(0);
    await allIsWell();
  }

  // A few seconds: webhooks allow minutes. A future token and an expired one are still distinguished from good ones.
  const now = () => Math.floor(Date.now() / 1000);
  clock.step(-6 * 2);
  assert.deepEqual([await webhook(), await suspect(), await bearer(known.id)], [200, 0, 401]);
  clock.step(-6);
  assert.deepEqual([await webhook(), await bearer(known.id, { iat: now() - 10, nbf: now() - 20 })], [200, 200]);
  clock.step(6);
  assert.deepEqual([await webhook(), await bearer(known.id)], [200, 200]);
  clock.step(6 * 3);
  assert.deepEqual([await webhook(), await bearer(known.id, { iat: now() - 50, nbf: now() - 60, exp: now() + 10 })], [200, 401]);
  clock.step(0);
  await allIsWell();
  assert.equal((await ingest.stop()).code, 0);
  assert.equal((await worker.stop()).code, 0);
});

test('clock: a waiting webhook is 503 by its deadline, however the clock steps [F20, I1, I6]', { skip }, async () => {
  const waitMs = 5000;
  await Promise.all([-10 * minute, 10 * minute, 6, -6].map(async (seconds) => {
    const clock = newClock();
    const ingest = await startIngest({ KAFKA_BROKERS: `127.0.0.1:${await freePort()}`, PUBLISH_TIMEOUT_MS: String(waitMs), ...clock.environment }, { wait: 'alive' });
    const begin = Date.now();
    let tookMs = 0;
    const answer = sendWebhook(ingest.url, webhookSecret, { body: userCreated(clerkUser()) }).finally(() => (tookMs = Date.now() - begin));
    await waitFor(async () => tookMs > 0 || (await ingest.metrics()).value('clerk_kafka_queue_records') > 0, { what: 'its record waits' });
    assert.equal(tookMs, 0, 'answered before the step');
    clock.step(seconds);
    const { status, headers } = await answer;
    assert.equal(status, 503);
    assert.match(headers.get('retry-after'), /^[1-9][0-9]*$/);
    assert.ok(tookMs >= waitMs - 1000 && tookMs < waitMs + 4000, `a step of ${seconds} s: answered after ${tookMs} ms`);
    const stopping = Date.now();
    assert.equal((await ingest.stop()).code, 0);
    assert.ok(Date.now() - stopping <= 9000, `a step of ${seconds} s: ended after ${Date.now() - stopping} ms`);
  }));
});

test('clock: a worker whose clock steps applies by event versions and recovers [F20, I2, I3, I9]', { skip }, async () => {
  const [{ database, topics }, clock, kafka] = [await newSite(), newClock(), await connectKafka()];
  clock.step(10 * minute);
  const worker = await startWorker({ ...topics, DATABASE_URL: database.url, ...clock.environment });
  const append = (...bodies) => kafka.appendAll(topics.TOPIC_USER_EVENTS, 0, bodies.map((body) => eventRecord(body)));
  const applied = async () => (await worker.metrics()).value('clerk_worker_events_total');
  const until = (count) => waitFor(async () => (await applied()) === count, { what: `${count} events`, deadlineMs: 30_000 });
  const [stays, goes] = [clerkUser(), clerkUser()];
  const changed = { ...stays, first_name: 'Newer', updated_at: stays.updated_at + 1 };
  await append(userCreated(stays), userCreated(goes));
  await until(2);

  // The first user is created ten minutes ahead, changed ten minutes behind; the other is deleted; older events never apply.
  clock.step(-10 * minute);
  await append(userUpdated(changed), userDeleted(goes.id));
  await until(4);
  clock.step(10 * minute);
  await append(userUpdated(stays), userUpdated(goes));
  await until(6);
  const rows = () => database.rows('select clerk_id, full_name from up_users where clerk_id is not null');
  assert.deepEqual(await rows(), [{ clerk_id: stays.id, full_name: 'Newer Lovelace' }]);

  // The worker pauses, its clock goes back, and the pause does not get longer.
  await database.rows('alter table up_users rename column full_name to whole_name');
  await append(userCreated(clerkUser()));
  await waitFor(async () => (await readiness(worker)).status === 503, { what: 'paused', deadlineMs: 20_000 });
  clock.step(-10 * minute);
  await database.rows('alter table up_users rename column whole_name to full_name');
  await until(7);
  await waitFor(async () => (await readiness(worker)).status === 200, { what: 'ready again', deadlineMs: 20_000 });
  for (const [seconds, count] of [[-6, 8], [6, 9]]) {
    clock.step(seconds);
    await append(userCreated(clerkUser()));
    await until(count);
  }
  assert.equal((await rows()).length, 4);
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  assert.equal((await worker.stop()).code, 0);
});
