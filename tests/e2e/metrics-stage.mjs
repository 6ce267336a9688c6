// Both programs after a little of everything, and their /metrics then: with real servers, without Strapi.

import assert from 'node:assert/strict';
import { startClerk } from './clerk-stand-in.mjs';
import {
  clerkId, clerkUser, command, instanceId, newSigningKey, newTablesDatabase, newTopics, sendWebhook, startIngest, startWorker,
  userCreated, userDeleted, userUpdated, waitFor, webhookSecret,
} from './support.mjs';

// Resolves to the text of both pages.
export async function pagesOfARun() {
  const key = newSigningKey();
  const [database, topics, clerk] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 3 }), startClerk({ keys: [key] })]);
  const settings = { ...topics, DATABASE_URL: database.url, CLERK_INSTANCE_IDS: instanceId };
  const migrated = await command('clerk-worker', ['migrate'], settings);
  assert.equal(migrated.code, 0, migrated.stderr);
  const [worker, ingest] = await Promise.all([startWorker(settings), startIngest({ ...settings, CLERK_ISSUER: 'https://clerk.example.com', ...clerk.settings })]);

  const send = async (body, status = 200, more = {}) => assert.equal((await sendWebhook(ingest.url, webhookSecret, { body, ...more })).status, status);
  const processed = (count) =>
    waitFor(async () => (await worker.metrics()).value('clerk_worker_events_total') === count, { what: `${count} events processed`, deadlineMs: 30_000 });
  const first = clerkUser({ email: 'asked-for-twice@example.com' });
  const second = clerkUser({ email: 'asked-for-twice@example.com' });
  await send(userCreated(first));
  await processed(1);
  await send(userCreated(second)); // a conflict
  await send(userUpdated({ ...first, first_name: 'Grace', updated_at: first.updated_at + 1 }));
  await send(userDeleted(clerkId()));
  await send({ type: 'session.created', data: {} }); // ignored
  await send('not JSON'); // dead-lettered
  await send(userCreated(clerkUser()), 401, { headers: { 'svix-signature': 'v1,AAAA' } });
  await processed(4);

  const verify = async (token) => (await fetch(`${ingest.url}/v1/auth/verify`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(10_000) })).status;
  assert.equal(await verify(key.sign({ sub: first.id })), 200);
  assert.equal(await verify('hello'), 401);

  // The slowest figures: counted dead letters (ten seconds), librdkafka's own (two).
  const settled = async () => {
    const [ofIngest, ofWorker] = await Promise.all([ingest.metrics(), worker.metrics()]);
    return ofWorker.value('clerk_worker_dead_letters_open') === 1 && ofIngest.value('clerk_kafka_brokers_up', { client: 'webhooks' }) > 0
      && ofWorker.value('clerk_kafka_brokers_up', { client: 'events' }) > 0 && { ingest: ofIngest.text, worker: ofWorker.text };
  };
  const pages = await waitFor(settled, { what: 'slow figures', deadlineMs: 40_000, everyMs: 200 });
  await Promise.all([ingest.stop(), worker.stop()]);
  return pages;
}
