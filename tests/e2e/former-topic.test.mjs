// needs: database, kafka, strapi
// The former name of the provisioning topic, clerk.first-sights: the worker applies what the previous version left there.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { lineComes } from './log-lines.mjs';
import { eventRecord } from './records.mjs';
import { clerkUser, command, createTopics, instanceId, kafkaIsReal, readiness, waitFor } from './support.mjs';
import { kafka, partition, read, setUp, startAgain, topics, worker } from './worker-stage.mjs';

const skip = !kafkaIsReal && 'needs Apache Kafka: topics that are created and deleted';

const seen = (user) => eventRecord({ type: 'user.seen', timestamp: user.updated_at, instance_id: instanceId, data: user });

let former;
before(async () => {
  await setUp();
  former = topics.TOPIC_PROVISIONING.replace(/user-provisioning$/, 'first-sights');
});

const printed = async () => (await command('clerk-worker', ['topics', '--check'], topics)).stdout;

test('former topic: the worker applies its records beside the new topic, until it is deleted', { skip, timeout: 180_000 }, async () => {
  assert.doesNotMatch(await printed(), /former/);
  const [before_, old, both] = [clerkUser(), clerkUser(), clerkUser()];
  await createTopics([former], { partitions: 4 });
  await kafka.appendAll(former, partition, [seen(before_)]);
  // Of a topic that was created a moment ago the brokers may report no record yet.
  await waitFor(async () => /^former .*first-sights .*1 records are not applied yet: keep the topic/m.test(await printed()), { what: 'the record counted' });

  await startAgain();
  await lineComes(worker, { msg: /former topic still exists/, topic: former });
  await kafka.appendAll(former, partition, [seen(old)]);
  await kafka.appendAll(topics.TOPIC_PROVISIONING, partition, [seen(both)]);
  for (const user of [before_, old, both]) await waitFor(() => read(user), { what: `${user.id} in Strapi`, deadlineMs: 30_000 });
  await waitFor(async () => /all its records are applied: delete the topic/.test(await printed()), { what: 'the topic may be deleted', deadlineMs: 30_000 });

  const lagLines = async () => (await worker.metrics()).text.split('\n').filter((line) => line.startsWith('clerk_worker_lag_records{') && line.includes(former));
  await waitFor(async () => (await lagLines()).length > 0, { what: 'the lag of the former topic' });
  await kafka.deleteTopic(former);
  await lineComes(worker, { msg: /former topic was deleted/ }, 60_000);
  await waitFor(async () => (await lagLines()).length === 0, { what: 'no lag of a deleted topic' });
  assert.equal((await readiness(worker)).status, 200);
  assert.doesNotMatch(await printed(), /former/);
});
