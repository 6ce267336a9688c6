// needs: database, kafka, strapi
// A minute of all faults at once: three workers that are killed, frozen beyond their session and restarted,
// connections that the database ends, and users whose events are in all partitions, so that workers meet at one
// row. The usual invariants must hold.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { assertIsNewest, history, newestOf, randomFrom, watchPositions } from '../history.mjs';
import { connectKafka, eventRecord } from '../records.mjs';
import { command, newSiteDatabase, newTopics, startWorker, waitFor } from '../support.mjs';

const partitions = 12;
const stormMs = 60_000;

test('storm: killed and frozen workers for a minute, right rows [F17, I2, I3, I4, I7, I9]', async (t) => {
  const seed = process.env.SEED || randomBytes(6).toString('hex');
  t.diagnostic(`seed ${seed}`);
  const random = randomFrom(seed);
  const [database, topics, kafka] = await Promise.all([newSiteDatabase(), newTopics(), connectKafka()]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const newWorker = (options) => startWorker({ ...topics, DATABASE_URL: database.url }, options);
  const workers = await Promise.all([newWorker(), newWorker(), newWorker()]);
  const records = await kafka.follow(topics.TOPIC_USER_EVENTS);
  const watch = watchPositions(kafka, database, topics);

  const events = history(random, { users: 60, deleted: 15 });
  const sequence = random.shuffled([...events, ...random.shuffled(events).slice(0, 600)]);
  const end = Date.now() + stormMs;

  const sender = (async () => {
    const each = Math.ceil(sequence.length / 50);
    for (let at = 0; at < sequence.length; at += each) {
      const some = sequence.slice(at, at + each).map(({ message, body }) => eventRecord(body, { id: message }));
      await kafka.appendAll(topics.TOPIC_USER_EVENTS, random.next(partitions), some);
      await waitFor(() => Date.now() >= end - stormMs + (stormMs * at) / sequence.length, { what: 'the next portion is due', deadlineMs: stormMs });
    }
  })();

  const count = { killed: 0, frozen: 0, cut: 0 };
  const until = (moment) => waitFor(() => Date.now() >= moment, { what: 'the next fault is due', deadlineMs: stormMs });
  while (Date.now() < end) {
    await until(Date.now() + 500 + random.next(2500));
    const victim = random.next(workers.length);
    const fault = random.next(4);
    if (fault === 0) {
      count.killed++;
      await workers[victim].kill();
      workers[victim] = await newWorker({ wait: false });
    } else if (fault === 1) {
      count.frozen++;
      workers[victim].signal('SIGSTOP');
      await until(Date.now() + 11_000 + random.next(3000)); // its partitions move, then it resumes with an old batch
      workers[victim].signal('SIGCONT');
    } else {
      count.cut++;
      await database.rows("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'clerk-worker'");
    }
  }
  await sender;
  t.diagnostic(JSON.stringify(count));

  const recovery = Date.now();
  const ends = await kafka.ends(topics.TOPIC_USER_EVENTS);
  const reached = async () => {
    const rows = await database.rows('select partition, value from clerk_sync.next_offset where topic = $1', [topics.TOPIC_USER_EVENTS]);
    const next = Object.fromEntries(rows.map(({ partition, value }) => [partition, Number(value)]));
    return Object.entries(ends).every(([partition, last]) => last === 0 || next[partition] === last);
  };
  await waitFor(reached, { what: 'everything applied', deadlineMs: 40_000, everyMs: 100 });
  t.diagnostic(`recovered after ${Date.now() - recovery} ms`);
  await assertIsNewest(database, newestOf(events));
  await waitFor(() => records.length >= sequence.length, { what: 'all records read back' });
  const { looks } = await watch.assertNeverAhead(records);
  t.diagnostic(`${looks} looks at the positions`);
  assert.equal(await kafka.length(topics.TOPIC_DEAD_LETTERS), 0);
  assert.equal((await database.rows('select count(*)::int as n from user_profiles'))[0].n, 45);
  for (const worker of workers) await waitFor(async () => (await worker.metrics()).value('clerk_worker_paused') === 0, { what: 'no worker paused' });
});
