// needs: database, kafka
// Three brokers, replicas on each, two must have a record before it counts (F4, F7, F9): how the loss of one, of two and of the
// leader affects senders.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connectKafka } from '../../e2e/records.mjs';
import { clerkUser, command, newTablesDatabase, newTopics, sendWebhook, startIngest, startWorker, uniqueName, userCreated, waitFor, webhookSecret } from '../../e2e/support.mjs';
import { kafkaServer } from '../../tools/scripts.mjs';

const folder = path.join(process.env.TEST_RUN_DIR, uniqueName('cluster'));

let brokers;
let kafka;
before(async () => {
  brokers = await kafkaServer('start', folder, '--brokers', '3');
  kafka = await connectKafka(brokers);
});
after(() => kafkaServer('remove', folder));

async function newPipeline() {
  const options = { brokers, partitions: 6, replication: 3, config: { 'cleanup.policy': 'delete', 'min.insync.replicas': '2' } };
  // The brokers may still be connecting to each other after the previous test.
  const [database, topics] = await Promise.all([newTablesDatabase(), waitFor(() => newTopics(options), { what: 'topics', deadlineMs: 60_000, everyMs: 500 })]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url, KAFKA_BROKERS: brokers })).code, 0);
  const settings = { ...topics, KAFKA_BROKERS: brokers };
  const [ingest, worker] = await Promise.all([
    startIngest({ ...settings, KAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS: '1000' }), // finds new partitions soon
    startWorker({ ...settings, DATABASE_URL: database.url }),
  ]);
  const accepted = new Map(); // svix-id -> Clerk id
  const statuses = {};
  const pipeline = {
    topics, ingest, worker, accepted, statuses,
    async deliver(id, user) {
      const { status } = await sendWebhook(ingest.url, webhookSecret, { id, body: userCreated(user) });
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status === 200) accepted.set(id, user.id);
      return status;
    },
    // Senders that repeat until 2xx, during the fault.
    async during(story) {
      let over = false;
      let open = 0;
      const senders = Array.from({ length: 8 }, async (_, n) => {
        for (let i = 0; !over; i++) {
          const [id, user] = [`msg_${n}_${i}`, clerkUser()];
          open++;
          await waitFor(async () => (await pipeline.deliver(id, user)) === 200, { what: `${id} accepted`, deadlineMs: 120_000, everyMs: 200 });
          open--;
        }
      });
      await waitFor(() => accepted.size > 50, { what: 'load', deadlineMs: 120_000 });
      await story();
      over = true;
      await Promise.all(senders);
      assert.equal(open, 0);
    },
    async everythingArrived() {
      const records = await kafka.follow(topics.TOPIC_USER_EVENTS);
      await waitFor(() => { const found = new Set(records.map(({ headers }) => headers.ce_id)); return [...accepted.keys()].every((id) => found.has(id)); }, { what: 'each 2xx in the log', deadlineMs: 60_000 });
      const ids = [...accepted.values()];
      await waitFor(async () => (await database.rows('select count(*)::int as n from up_users where clerk_id = any($1)', [ids]))[0].n === ids.length, { what: 'each 2xx a user', deadlineMs: 60_000 });
      assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
    },
  };
  return pipeline;
}

const more = (pipeline, count, deadlineMs = 120_000) => {
  const begin = pipeline.accepted.size;
  return waitFor(() => pipeline.accepted.size >= begin + count, { what: `${count} more accepted`, deadlineMs }).catch((error) => {
    throw new Error(`${error.message}, ${pipeline.accepted.size - begin} were; so far ${JSON.stringify(pipeline.statuses)}`);
  });
};

test('cluster: a killed and a restarted broker move leaders, no 2xx is lost [F4, I1, I9]', async (t) => {
  const pipeline = await newPipeline();
  await pipeline.during(async () => {
    await kafkaServer('stop-broker', folder, '3', '--kill');
    await more(pipeline, 100);
    await kafkaServer('start-broker', folder, '3');
    await kafkaServer('stop-broker', folder, '2');
    await more(pipeline, 100);
    await kafkaServer('start-broker', folder, '2');
    await more(pipeline, 20);
  });
  t.diagnostic(JSON.stringify(pipeline.statuses));
  await pipeline.everythingArrived();
});

test('cluster: a webhook is 503 below two in-sync replicas, then accepted [F7, I1, I9]', async (t) => {
  const pipeline = await newPipeline();
  await pipeline.during(() => more(pipeline, 20));
  await Promise.all([2, 3].map((node) => kafkaServer('stop-broker', folder, String(node), '--kill')));
  const lonely = await Promise.all(Array.from({ length: 20 }, (_, n) => pipeline.deliver(`msg_lonely${n}`, clerkUser())));
  assert.deepEqual([...new Set(lonely)], [503]);

  await Promise.all([2, 3].map((node) => kafkaServer('start-broker', folder, String(node))));
  await pipeline.during(() => more(pipeline, 20));
  t.diagnostic(JSON.stringify(pipeline.statuses));
  await pipeline.everythingArrived();
});

test('cluster: partitions added during webhooks are read too [F9, I1, I2]', async () => {
  const pipeline = await newPipeline();
  await pipeline.during(async () => {
    await kafkaServer('tools', 'topics', '--bootstrap-server', brokers, '--alter', '--topic', pipeline.topics.TOPIC_USER_EVENTS, '--partitions', '12');
    await waitFor(async () => Object.entries(await kafka.ends(pipeline.topics.TOPIC_USER_EVENTS)).some(([partition, end]) => Number(partition) >= 6 && end > 0), { what: 'records in the new partitions', deadlineMs: 90_000 });
  });
  await pipeline.everythingArrived();
});
