// needs: database, kafka
// Faults of a database that is up: connections that break at the worst moment, locks, limits,
// rights and columns that were removed. None is a record's fault, so nothing is dead-lettered.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { connectKafka, eventRecord } from '../e2e/records.mjs';
import { clerkUser, command, newTablesDatabase, newTopics, readiness, startWorker, uniqueName, userCreated, waitFor } from '../e2e/support.mjs';
import { Gate } from './gate.mjs';

let kafka;
before(async () => {
  kafka = await connectKafka();
});

// A worker behind a gate, as a role without special rights, so that limits and grants count for it.
async function newSite() {
  const [database, topics] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 1 })]);
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  const role = uniqueName('writer');
  await database.rows(`create role ${role} login; grant usage on schema public, clerk_sync to ${role};
    grant all on all tables in schema public, clerk_sync to ${role}; grant all on all sequences in schema public, clerk_sync to ${role}`);
  const url = new URL(database.url);
  const gate = await Gate.open(Number(url.port));
  Object.assign(url, { port: gate.port, username: role });
  const worker = await startWorker({ ...topics, DATABASE_URL: url.href });
  const site = {
    database, gate, worker, role,
    async publish(users) {
      await kafka.appendAll(topics.TOPIC_USER_EVENTS, 0, users.map((user) => eventRecord(userCreated(user))));
    },
    terminate: () => database.rows('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role]),
    until: (count) => waitFor(async () => (await database.rows('select 1 from up_users where clerk_id is not null')).length === count, { what: `${count} users`, deadlineMs: 30_000 }),
    async paused(cause, detail) {
      await waitFor(async () => (await readiness(worker)).failing.some((one) => new RegExp(`^${cause}: .*${detail}`).test(one.detail)), { what: `paused for ${detail}`, deadlineMs: 20_000 });
      assert.equal((await readiness(worker)).status, 503);
      assert.equal((await worker.metrics()).value('clerk_worker_paused', { cause }), 1);
    },
    async healthy() {
      await waitFor(async () => (await readiness(worker)).status === 200, { what: 'the worker ready again', deadlineMs: 30_000 });
      assert.equal((await worker.metrics()).value('clerk_worker_paused'), 0);
      assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
      assert.equal((await worker.metrics()).value('clerk_worker_events_total', { outcome: 'parked' }), 0);
      assert.equal(await kafka.length(topics.TOPIC_DEAD_LETTERS), 0);
    },
    async end() {
      await worker.stop();
      await gate.close();
      await database.rows(`drop owned by ${role}`);
      await database.rows(`drop role ${role}`);
    },
  };
  return site;
}

test('database: a connection lost in COMMIT is retried on a new one, written once [F14, I4, I7]', async () => {
  const site = await newSite();
  await site.publish([clerkUser()]);
  await site.until(1);

  const broken = site.gate.cutAfter('COMMIT', { behind: 'insert_users' });
  await site.publish([clerkUser()]);
  await broken;

  await site.until(2);
  await waitFor(async () => (await site.worker.metrics()).value('clerk_worker_events_total', { outcome: 'duplicate' }) === 1, { what: 'its second try counted as a duplicate' });
  assert.equal((await site.worker.metrics()).value('clerk_worker_events_total'), 2);
  await site.healthy();
  await site.end();
});

test('database: a silent or slow database causes no rebalance, and the worker recovers [F16, I9]', async () => {
  const site = await newSite();
  site.gate.slow(60);
  await site.publish([clerkUser()]);
  await site.until(1);
  site.gate.restore();

  site.gate.freeze();
  const frozen = Date.now();
  await site.publish([clerkUser()]);
  assert.equal((await fetch(`${site.worker.adminUrl}/livez`)).status, 200);
  await waitFor(() => Date.now() > frozen + 6000, { what: 'six seconds', deadlineMs: 8000 });
  assert.equal((await site.database.rows('select 1 from up_users where clerk_id is not null')).length, 1);

  site.gate.restore();
  await site.until(2);
  await site.healthy();
  assert.doesNotMatch(site.worker.log(), /partitions revoked/);
  await site.end();
});

test('database: the worker waits for a locked table, dead-letters nothing [F15, F16, I1, I9]', async () => {
  const site = await newSite();
  await site.publish([clerkUser()]);
  await site.until(1);

  const holder = await site.database.connect();
  await holder.query('begin; lock table up_users in access exclusive mode');
  await site.publish([clerkUser(), clerkUser()]);
  await waitFor(async () => (await readiness(site.worker)).status === 503, { what: 'the worker reports it', deadlineMs: 50_000, everyMs: 100 });
  await holder.query('rollback');
  holder.release();

  await site.until(3);
  await site.healthy();
  assert.doesNotMatch(site.worker.log(), /partitions revoked/);
  await site.end();
});

const taken = [
  {
    what: 'database: no connection is left (53300) [F13]',
    take: async ({ database, role, terminate }) => {
      await database.rows(`alter role ${role} connection limit 0`);
      await terminate();
    },
    give: ({ database, role }) => database.rows(`alter role ${role} connection limit -1`),
    reports: ['database', 'too many connections'],
  },
  {
    what: 'database: a right was revoked (42501) [E9]',
    take: ({ database, role }) => database.rows(`revoke insert on up_users from ${role}`),
    give: ({ database, role }) => database.rows(`grant insert on up_users to ${role}`),
    reports: ['schema', 'permission denied'],
  },
  {
    what: 'database: a column was renamed (42703) [E9]',
    take: ({ database }) => database.rows('alter table up_users rename column full_name to whole_name'),
    give: ({ database }) => database.rows('alter table up_users rename column whole_name to full_name'),
    reports: ['schema', 'full_name'],
  },
  {
    what: 'database: the role may not log in (28)',
    take: async ({ database, role, terminate }) => {
      await database.rows(`alter role ${role} nologin`);
      await terminate();
    },
    give: ({ database, role }) => database.rows(`alter role ${role} login`),
    reports: ['database', 'not permitted to log in'],
  },
];

test('database: a fault of the whole site dead-letters nothing, the worker recovers [I1, I7, I9]', async (t) => {
  const site = await newSite();
  let count = 0;
  for (const { what, take, give, reports } of taken) {
    await t.test(what, async () => {
      await site.publish([clerkUser()]);
      await site.until(++count);
      await take(site);
      const before = site.worker.log().length;
      await site.publish([clerkUser(), clerkUser()]);
      await site.paused(...reports);
      // However often it retries (each time on a new connection), the fault stays, and is logged once,
      const tries = site.gate.accepted;
      await waitFor(() => site.gate.accepted >= tries + 8, { what: 'more tries', deadlineMs: 25_000 });
      const log = site.worker.log().slice(before);
      assert.doesNotMatch(log, /"pipeline resumed","lane":"events"/);
      assert.ok(log.split('"pipeline paused","lane":"events"').length <= 5, log); // with a reminder from time to time
      assert.equal((await site.database.rows('select 1 from up_users where clerk_id is not null')).length, count);
      await give(site);
      await site.until((count += 2));
      await site.healthy();
    });
  }
  await site.end();
});
