// needs: database, kafka
// Kafka loses records that it acknowledged (F10): the only broker with the newest ones dies, and a follower that lagged
// behind becomes leader, because the topic allows unclean elections. No guarantee survives that, but an alert reports it, and
// reconciliation repairs it.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { startClerk } from '../../e2e/clerk-stand-in.mjs';
import { connectKafka } from '../../e2e/records.mjs';
import { clerkUser, command, instanceId, newTablesDatabase, newTopics, sendWebhook, startIngest, startWorker, uniqueName, userCreated, userUpdated, waitFor, webhookSecret } from '../../e2e/support.mjs';
import { kafkaServer } from '../../tools/scripts.mjs';

const folder = path.join(process.env.TEST_RUN_DIR, uniqueName('cluster'));
after(() => kafkaServer('remove', folder));

test('lost tail: lost acknowledged records raise an alert; reconcile repairs all [F10, I1, I2]', async (t) => {
  const brokers = await kafkaServer('start', folder, '--brokers', '3');
  const topics = {
    ...(await waitFor(() => newTopics({ brokers, partitions: 1, replication: 3 }), { what: 'topics', deadlineMs: 60_000, everyMs: 500 })),
    TOPIC_USER_EVENTS: uniqueName('unclean'),
  };
  // Broker 1 is the controller and must live: 2 leads, 3 follows.
  await kafkaServer('tools', 'topics', '--bootstrap-server', brokers, '--create', '--topic', topics.TOPIC_USER_EVENTS, '--replica-assignment', '2:3',
    '--config', 'min.insync.replicas=1', '--config', 'unclean.leader.election.enable=true');
  const [kafka, database, clerk] = [await connectKafka(brokers), await newTablesDatabase(), await startClerk()];
  const settings = { ...topics, ...clerk.settings, DATABASE_URL: database.url, KAFKA_BROKERS: brokers, CLERK_INSTANCE_IDS: instanceId, STRAPI_PROFILE_CONTENT_TYPES: 'user-profile' };
  assert.equal((await command('clerk-worker', ['migrate'], settings)).code, 0);
  const ingest = await startIngest({ ...topics, KAFKA_BROKERS: brokers });
  const deliver = (body) => waitFor(async () => (await sendWebhook(ingest.url, webhookSecret, { body })).status === 200, { what: 'accepted', deadlineMs: 60_000, everyMs: 200 });
  const names = async () => Object.fromEntries((await database.rows('select clerk_id, full_name from up_users where clerk_id is not null')).map((row) => [row.clerk_id, row.full_name]));
  const arrived = (users, deadlineMs = 60_000) => waitFor(async () => { const found = await names(); return users.every(({ id }) => found[id]); }, { what: `${users.length} users`, deadlineMs });
  const create = async (count) => {
    const users = Array.from({ length: count }, () => clerkUser());
    for (const user of users) {
      clerk.users.set(user.id, user);
      await deliver(userCreated(user));
    }
    return users;
  };
  let worker = await startWorker(settings);
  const early = await create(5);
  await arrived(early);

  // The follower stops; only the leader has later records. Some are applied before the worker stops too.
  await kafkaServer('stop-broker', folder, '3', '--kill');
  const seen = await create(5);
  await arrived(seen);
  assert.equal((await worker.stop()).code, 0);
  const lost = await create(5);
  const changed = { ...early[0], first_name: 'Changed', updated_at: early[0].updated_at + 1 };
  clerk.users.set(changed.id, changed);
  await deliver(userUpdated(changed));
  await kafkaServer('stop-broker', folder, '2', '--kill');
  await kafkaServer('start-broker', folder, '3');
  await waitFor(async () => (await kafka.length(topics.TOPIC_USER_EVENTS)) === early.length, { what: 'the follower leads, without the tail', deadlineMs: 60_000, everyMs: 200 });

  // The worker reads what there is, and reports that records are missing. None of its applied users is lost.
  worker = await startWorker(settings);
  await waitFor(async () => (await worker.metrics()).value('clerk_worker_offset_gaps_total', { kind: 'rewound' }) === 1, { what: 'the alarm', deadlineMs: 60_000 });
  assert.match(worker.log(), /the topic restarted before the stored position.*reconcile/);
  await arrived([...early, ...seen]);
  await kafkaServer('start-broker', folder, '2');
  const fresh = await create(1);
  await arrived(fresh);

  const reconcile = async (...args) => {
    const { code, stdout, stderr } = await command('clerk-worker', ['reconcile', '--json', ...args], settings, { deadlineMs: 120_000 });
    assert.notEqual(stdout, '', stderr);
    return { code, found: stdout.trim().split('\n').map((line) => JSON.parse(line)).slice(0, -1) };
  };
  const report = await reconcile('--settle', '0');
  assert.equal(report.code, 3);
  const expected = [...lost.map(({ id }) => [id, 'missing']), [changed.id, 'differs']];
  assert.deepEqual(Object.fromEntries(report.found.map(({ clerk_id: id, kind }) => [id, kind])), Object.fromEntries(expected));

  t.diagnostic(`repair ended with ${(await reconcile('--settle', '0', '--repair')).code}`);
  await arrived(lost);
  await waitFor(async () => (await names())[changed.id] === 'Changed Lovelace', { what: 'the lost change', deadlineMs: 60_000 });
  const repaired = await reconcile('--settle', '0');
  assert.deepEqual([repaired.code, repaired.found], [0, []]);
  assert.equal(await kafka.length(topics.TOPIC_DEAD_LETTERS), 0);
});
