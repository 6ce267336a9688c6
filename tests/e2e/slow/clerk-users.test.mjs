// needs: database, kafka
// 100 000 users through Clerk's API: a first import, its comparison, their time and memory; and brokers that reject
// the records.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { clerkUser, waitFor } from '../support.mjs';
import { json, longAgo, newStage, people } from '../clerk-api-stage.mjs'; // newTopics() and startWorker() of support.mjs

const count = 100_000;
const note = 'x'.repeat(1500); // users of about 2.5 KB, as Clerk's are

const residentKib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// Runs a command to its end and returns its resident memory at the tenth page and at the last but ten.
async function measured(stage, args) {
  const memory = [];
  let pages = 0;
  let running;
  stage.clerk.behave = async (route, query) => {
    if (route === '/v1/users' && query.get('order_by') === '+created_at' && [10, count / 500 - 10].includes(++pages)) memory.push(residentKib(running.pid));
    return null;
  };
  const begin = Date.now();
  running = stage.start([...args, '--json']);
  const { code } = await running.exited;
  return { code, memory, seconds: (Date.now() - begin) / 1000, log: running.log() };
}

test('clerk users: 100 000 are imported and compared in five minutes each, in constant memory', async (t) => {
  const stage = await newStage({ users: people(count, { private_metadata: { note } }) });
  const imported = await measured(stage, ['backfill']);
  assert.equal(imported.code, 0, imported.log);
  t.diagnostic(`backfill: ${imported.seconds.toFixed(1)} s, ${imported.memory.join(' → ')} KiB`);
  const applying = Date.now();
  await waitFor(async () => (await stage.count('up_users where clerk_id is not null')) === count, { what: 'all rows', deadlineMs: 300_000, everyMs: 500 });
  t.diagnostic(`applied ${((Date.now() - applying) / 1000).toFixed(1)} s later`);
  const compared = await measured(stage, ['reconcile']);
  assert.equal(compared.code, 0, compared.log);
  t.diagnostic(`reconcile: ${compared.seconds.toFixed(1)} s, ${compared.memory.join(' → ')} KiB`);
  for (const { seconds, memory: [early, late] } of [imported, compared]) {
    assert.ok(seconds < 300, `${seconds} s`);
    assert.ok(late < early * 1.2 + 4096, `${early} KiB at the tenth page, ${late} KiB near the end`);
  }
});

test('clerk users: the cursor does not move before the brokers acknowledge the records [I1]', async () => {
  const users = people(510);
  const stage = await newStage({ users, worker: false });
  const missing = `${stage.topics.TOPIC_SNAPSHOTS}.missing`;
  const failed = stage.start(['backfill'], { TOPIC_SNAPSHOTS: missing }); // times out after a minute
  assert.equal((await failed.exited).code, 1);
  assert.match(failed.log(), /the brokers did not store the records of .*clerk-worker topics.* --resume/);
  const [{ position, published }] = await stage.database.rows('select position, published from clerk_sync.backfill');
  assert.deepEqual([position, Number(published)], ['', 0]);
  const done = await stage.run(['backfill', '--resume', '--json']);
  assert.equal(done.code, 0);
  assert.equal(json(done.stdout).this_run, 510);
});

test('clerk users: users too large for a record are skipped and named by id', async () => {
  const huge = clerkUser({ updatedAt: longAgo, public_metadata: { note: 'y'.repeat(2_000_000) } });
  const stage = await newStage({ users: [huge, ...people(60)], worker: false });
  const done = await stage.run(['backfill', '--json']);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stderr, new RegExp(`${huge.id} is too large`));
  assert.equal(json(done.stdout).skipped, 1);
});
