// needs: database, kafka, strapi
// The dead-letter topic cannot be written either.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectKafka, eventRecord } from '../records.mjs';
import { clerkUser, command, createTopics, newSiteDatabase, newTopics, readUser, readiness, startWorker, userCreated, waitFor } from '../support.mjs';

const partition = 3;

test('dead letters: without the topic the partition pauses, then continues [D12, I1, I7, I9]', async (t) => {
  const [database, topics, kafka] = await Promise.all([newSiteDatabase(), newTopics(), connectKafka()]);
  topics.TOPIC_DEAD_LETTERS += '.missing';
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const worker = await startWorker({ ...topics, DATABASE_URL: database.url }, { wait: 'alive' }); // the missing topic keeps it from being ready
  const read = (user) => readUser(database, user.id);
  const before = clerkUser();
  const behind = clerkUser();
  const records = [eventRecord(userCreated(before)), { ...eventRecord(userCreated(clerkUser())), value: 'not JSON' }, eventRecord(userCreated(behind))];
  const [first] = await kafka.appendAll(topics.TOPIC_USER_EVENTS, partition, records);
  await waitFor(async () => (await worker.metrics()).value('clerk_worker_paused', { cause: 'dead_letters' }) === 1, { what: 'paused for the dead-letter topic', deadlineMs: 30_000 });
  assert.equal((await readiness(worker)).status, 503);
  const [{ value }] = await database.rows('select value from clerk_sync.next_offset where topic = $1', [topics.TOPIC_USER_EVENTS]);
  assert.equal(Number(value), first + 1);
  assert.equal(await read(behind), null);

  await createTopics([topics.TOPIC_DEAD_LETTERS], { partitions: 1 });
  const begin = Date.now();
  await waitFor(() => read(behind), { what: 'the record behind', deadlineMs: 40_000 });
  t.diagnostic(`went on ${Date.now() - begin} ms after the topic was there`);
  assert.equal(await kafka.length(topics.TOPIC_DEAD_LETTERS), 1);
});
