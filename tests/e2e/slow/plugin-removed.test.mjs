// needs: database, kafka, strapi
// Strapi boots without the companion plugin and drops our columns with their data, and later boots with it again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clerkUser, command, newSiteDatabase, newTopics, readiness, sendWebhook, startIngest, startStrapi, startWorker,
  userCreated, userDeleted, userUpdated, waitFor, webhookSecret,
} from '../support.mjs';

test('schema: the worker pauses while our columns are missing, then finds its rows [I2, I9]', async () => {
  const database = await newSiteDatabase();
  const topics = await newTopics();
  const migrate = async () => assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  await migrate();
  const [ingest, worker] = await Promise.all([startIngest(topics), startWorker({ ...topics, DATABASE_URL: database.url })]);
  const send = (body) => sendWebhook(ingest.url, webhookSecret, { body });
  const untilRows = (count) =>
    waitFor(async () => (await database.rows('select count(*)::int as n from up_users where clerk_id is not null'))[0].n === count, { what: `${count} users`, deadlineMs: 30_000 });

  const [kept, exchanged, deleted] = [clerkUser(), clerkUser(), clerkUser()];
  await Promise.all([kept, exchanged, deleted].map((user) => send(userCreated(user))));
  await untilRows(3);
  const earlier = await database.rows('select * from up_users order by id');
  const idOf = (user) => earlier.find((row) => row.clerk_id === user.id).id;

  let strapi = await startStrapi(database, { plugin: 'off' });
  const arrived = clerkUser();
  assert.equal((await send(userCreated(arrived))).status, 200);
  const reported = (word) => waitFor(async () => (await readiness(worker)).failing.some(({ detail }) => word.test(detail)), { what: `the worker reports ${word}` });
  await reported(/^schema: the table up_users has no column clerk_id; enable the Strapi plugin/);
  assert.equal((await readiness(worker)).status, 503);
  assert.equal((await worker.metrics()).value('clerk_worker_paused', { cause: 'schema' }), 1);
  assert.equal((await database.rows('select count(*)::int as n from up_users'))[0].n, 3);
  await strapi.stop();

  // Another user has taken the row id in the meantime.
  await database.rows("update up_users set document_id = 'z23456789012345678901234', email = 'else@example.com', username = 'else' where id = $1", [idOf(exchanged)]);
  strapi = await startStrapi(database, { folder: strapi.folder });
  await reported(/^schema: .*run `clerk-worker migrate`/);
  await migrate();
  await untilRows(1); // the user who was created meanwhile
  await waitFor(async () => (await readiness(worker)).status === 200, { what: 'the worker ready again' });

  const touched = (user) => userUpdated({ ...user, updated_at: user.updated_at + 1 });
  await Promise.all([send(touched(kept)), send(touched(exchanged)), send(userDeleted(deleted.id))]);
  await untilRows(3);
  await waitFor(async () => (await database.rows('select 1 from up_users where id = $1', [idOf(deleted)])).length === 0, { what: 'the deleted one gone' });
  const [again] = await database.rows('select * from up_users where clerk_id = $1', [kept.id]);
  const { updated_at, ...same } = earlier.find((row) => row.clerk_id === kept.id);
  assert.deepEqual({ ...again, updated_at }, { ...same, updated_at });
  const [other] = await database.rows('select clerk_id, email from up_users where id = $1', [idOf(exchanged)]);
  assert.deepEqual(other, { clerk_id: null, email: 'else@example.com' });
  const [placed] = await database.rows('select email from up_users where clerk_id = $1', [exchanged.id]);
  assert.equal(placed.email, exchanged.email_addresses[0].email_address);
  const shown = await strapi.call('GET', `users?filters[clerkId][$eq]=${kept.id}`);
  assert.equal(shown.body[0].fullName, 'Ada Lovelace');
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
});
