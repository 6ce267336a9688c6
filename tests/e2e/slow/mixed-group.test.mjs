// needs: database, kafka
// Two builds of the programs in one deployment: another release, or the same release on another Debian. Their workers
// share one group while webhooks come, and are replaced one by one, from this build to the other and back.
// TEST_OTHER_BUILD_DIR names the other build, with bin/clerk-worker and bin/clerk-ingest. CI, where a skip is a failure,
// takes this build twice when there is no other.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { linesOf } from '../log-lines.mjs';
import { connectKafka } from '../records.mjs';
import { buildFolder, clerkUser, command, newTablesDatabase, newTopics, sendWebhook, startIngest, startWorker, userCreated, userUpdated, waitFor, webhookSecret } from '../support.mjs';

const other = process.env.TEST_OTHER_BUILD_DIR || (process.env.CI === 'true' && buildFolder);
const missing = other && ['clerk-worker', 'clerk-ingest'].find((program) => !existsSync(path.join(other, 'bin', program)));
const skip = !other ? 'TEST_OTHER_BUILD_DIR is not set: it names a second build of the programs' : missing ? `${other}/bin/${missing} does not exist` : false;
const ratePerSecond = 20;
const longestGapMs = 60_000; // half a second on a quiet machine; the figure is printed

// Webhooks at a steady rate, to each ingest in turn; a webhook without a 200 is sent again.
function startLoad(ingests) {
  const newest = new Map(); // the newest acknowledged version of each user
  const users = [];
  const underWay = new Set();
  let count = 0;
  let on = true;
  async function deliver(user, body) {
    for (let attempt = 0; attempt < 20; attempt++) {
      const to = ingests[(count + attempt) % ingests.length];
      const answer = await sendWebhook(to.url, webhookSecret, { body, id: `msg_${user.id.slice(5)}_${user.updated_at}` }).catch(() => ({ status: 0 }));
      if (answer.status !== 200) continue;
      if ((newest.get(user.id)?.updated_at ?? 0) < user.updated_at) newest.set(user.id, user);
      return;
    }
    assert.fail('a webhook was not accepted in 20 attempts');
  }
  let due = Date.now();
  const sending = waitFor(() => {
    for (; due <= Date.now() && on && underWay.size < 100; due += 1000 / ratePerSecond, count++) {
      const known = count % 4 === 3 && users[(count * 7) % users.length];
      const user = known ? { ...known, first_name: `Version${count}`, updated_at: known.updated_at + count } : clerkUser();
      if (!known) users.push(user);
      const one = deliver(user, known ? userUpdated(user) : userCreated(user)).finally(() => underWay.delete(one));
      underWay.add(one);
    }
    return !on;
  }, { what: 'the end of the load', deadlineMs: 800_000, everyMs: 10 });
  return {
    newest,
    async end() {
      on = false;
      await sending;
      await Promise.all(underWay);
      return count;
    },
  };
}

// The longest time in which no row was written, while the load ran.
function watchRows(database) {
  let on = true;
  let last = -1;
  let since = Date.now();
  let longest = 0;
  const watching = waitFor(async () => {
    const [{ count }] = await database.rows('select count(*)::int as count from up_users where clerk_id is not null');
    if (count !== last) {
      if (last > 0) longest = Math.max(longest, Date.now() - since);
      since = Date.now();
      last = count;
    }
    return !on;
  }, { what: 'the end of the watch', deadlineMs: 800_000, everyMs: 100 });
  return { rows: () => last, longest: () => Math.max(longest, Date.now() - since), end: () => ((on = false), watching) };
}

test('two builds: workers of both replace each other in one group [I1, I2, I7, I9]', { skip }, async (t) => {
  const [database, topics, kafka] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 6 }), connectKafka()]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const environment = { ...topics, LOG_FORMAT: 'json' };
  const builds = { this: buildFolder, other };
  const newWorker = (build) => startWorker({ ...environment, DATABASE_URL: database.url }, { build: builds[build] });
  const ingests = await Promise.all(Object.values(builds).map((build) => startIngest(environment, { build })));
  const workers = await Promise.all([0, 1, 2].map(() => newWorker('this')));
  const all = [...workers];
  const load = startLoad(ingests);
  const watch = watchRows(database);
  t.after(() => Promise.allSettled([load.end(), watch.end()]));

  const held = async (worker) => ((await worker.metrics()).text.match(new RegExp(`^clerk_worker_lag_records\\{.*topic="${topics.TOPIC_USER_EVENTS}"`, 'gm')) ?? []).length;
  const shared = () => waitFor(async () => (await Promise.all(workers.map(held))).every((count) => count === 2), { what: 'two partitions for each worker', deadlineMs: 60_000 });
  const progresses = async () => {
    const before = watch.rows();
    await waitFor(() => watch.rows() > before + ratePerSecond, { what: 'rows of a second of load', deadlineMs: 60_000 });
  };
  await shared();
  await progresses();
  for (const build of ['other', 'this']) {
    for (const i of [0, 1, 2]) {
      assert.deepEqual(await workers[i].stop(), { code: 0, signal: null }, workers[i].tail());
      workers[i] = await newWorker(build);
      all.push(workers[i]);
      await shared();
      await progresses();
      await waitFor(async () => (await Promise.all(workers.map((one) => one.metrics()))).every((page) => page.value('clerk_worker_paused') === 0), { what: 'no worker paused' });
    }
    t.diagnostic(`all workers are of ${build === 'this' ? 'this build' : builds.other}; the longest time without a row: ${watch.longest()} ms`);
  }
  const sent = await load.end();
  await watch.end();
  t.diagnostic(`${sent} webhooks; the longest time without a row: ${watch.longest()} ms`);
  assert.ok(watch.longest() < longestGapMs, `no row was written for ${watch.longest()} ms`);

  const wrong = async () => {
    const rows = await database.rows('select clerk_id, full_name from up_users where clerk_id is not null');
    const names = new Map(rows.map((row) => [row.clerk_id, row.full_name]));
    return [...load.newest.values()].filter((user) => names.get(user.id) !== `${user.first_name} Lovelace`);
  };
  await waitFor(async () => (await wrong()).length === 0, { what: 'every accepted event in the rows', deadlineMs: 60_000, everyMs: 250 });
  await waitFor(async () => {
    const [ends, committed] = await Promise.all([kafka.ends(topics.TOPIC_USER_EVENTS), kafka.committed(topics.KAFKA_GROUP_ID, topics.TOPIC_USER_EVENTS)]);
    return Object.entries(ends).every(([partition, end]) => end === 0 || committed[partition] === end);
  }, { what: 'no lag in the group', deadlineMs: 30_000, everyMs: 250 });
  assert.equal(await kafka.length(topics.TOPIC_DEAD_LETTERS), 0);
  for (const worker of all) assert.deepEqual(linesOf(worker).filter(({ level }) => level === 'error'), [], worker.tail());
});
