// needs: database, kafka, strapi
// Signing in with every part real: Clerk's token, Strapi with its plugin, ingest, Kafka, worker, PostgreSQL. And what a
// user sees while one of them is unavailable.

import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startClerk } from './clerk-stand-in.mjs';
import {
  clerkId, clerkUser, command, freePort, instanceId, newSigningKey, newSiteDatabase, newTopics, readUser,
  sendWebhook, startIngest, startStrapi, startWorker, uniqueName, userCreated, userDeleted, userUpdated, waitFor, webhookSecret,
} from './support.mjs';
import { kafkaServer } from '../tools/scripts.mjs';


const key = newSigningKey();
let kafkaFolder;
let brokers; // of our own: a test stops them
let database;
let clerk;
let settings;
let listen; // of the ingest that Strapi calls; it is killed and restarted there
let ingest;
let strapi;

const newIngest = (more = {}) => startIngest({ ...settings, CLERK_JWT_KEY: key.pem, ...more });

before(async () => {
  kafkaFolder = path.join(process.env.TEST_RUN_DIR, uniqueName('kafka'));
  brokers = await kafkaServer('start', kafkaFolder);
  [database, clerk] = await Promise.all([newSiteDatabase(), startClerk({ keys: [key] })]);
  const topics = await newTopics({ brokers });
  settings = {
    ...topics, KAFKA_BROKERS: brokers, DATABASE_URL: database.url, CLERK_ISSUER: 'https://clerk.example.com', CLERK_INSTANCE_IDS: instanceId,
  };
  listen = `127.0.0.1:${await freePort()}`;
  strapi = await startStrapi(database, { environment: { CLERK_INGEST_URL: `http://${listen}` } });
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  [ingest] = await Promise.all([newIngest({ INGEST_LISTEN: listen }), startWorker({ ...settings, STRAPI_PROFILE_CONTENT_TYPES: 'user-profile' })]);
  ingest.url = `http://${listen}`;
});

after(() => kafkaServer('remove', kafkaFolder).catch(() => {}));

const tokenOf = (id, claims = {}) => key.sign({ sub: id, ...claims });
const as = (token) => ({ headers: token ? { authorization: `Bearer ${token}` } : {} });
const call = (method, route, token, body) => strapi.call(method, route, { ...as(token), body });
const rowOf = async (id) => (await readUser(database, id))?.user;
const rowsOf = async (id) => (await database.rows('select count(*)::int as n from up_users where clerk_id = $1', [id]))[0].n;

async function verify(by, token) {
  const began = performance.now();
  const answer = await fetch(`${by.url}/v1/auth/verify`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(20_000) });
  const body = await answer.json();
  return { status: answer.status, body, retryAfter: answer.headers.get('retry-after'), tookMs: performance.now() - began };
}

async function existingUser() {
  const user = clerkUser();
  assert.equal((await sendWebhook(ingest.url, webhookSecret, { body: userCreated(user) })).status, 200);
  await waitFor(() => rowOf(user.id), { what: 'the row' });
  return user;
}

test("sign-in: the first request of an unknown user's first token finds the row", async () => {
  const id = clerkId();
  const token = tokenOf(id, { email: `${id}@example.com`, first_name: 'Ada', last_name: 'King' });
  const me = await call('GET', 'users/me', token);
  assert.equal(me.status, 200, JSON.stringify(me.body));
  assert.equal(me.body.email, `${id}@example.com`);
  assert.equal(me.body.fullName, 'Ada King');
  assert.equal((await call('GET', `users/${me.body.id}`, token)).status, 200);
  const other = await existingUser();
  assert.equal((await call('GET', `users/${(await rowOf(other.id)).id}`, token)).status, 403);
  assert.equal((await call('GET', 'users', token)).status, 403);
  assert.equal((await call('GET', 'users')).status, 403);
});

test('sign-in: a ban and a deletion take effect within two seconds, despite a valid token', async () => {
  const user = await existingUser();
  const token = tokenOf(user.id);
  assert.equal((await call('GET', 'users/me', token)).status, 200);
  await sendWebhook(ingest.url, webhookSecret, { body: userUpdated({ ...user, banned: true, updated_at: user.updated_at + 1 }) });
  await waitFor(async () => (await call('GET', 'users/me', token)).status === 403, { what: 'the ban to count', deadlineMs: 5000 });
  await sendWebhook(ingest.url, webhookSecret, { body: userDeleted(user.id) });
  await waitFor(async () => !(await rowOf(user.id)), { what: 'the row deleted' });
  assert.equal((await call('GET', 'users/me', token)).status, 403);
  assert.equal(await rowOf(user.id), undefined);
});

test('sign-in: fifty first requests while ingest is killed give one row, all succeed [I4]', async () => {
  const id = clerkId();
  const token = tokenOf(id);
  const untilLetIn = () => waitFor(async () => {
    const { status } = await call('GET', 'users/me', token);
    assert.ok([200, 503].includes(status), `answered ${status}`); // unavailable is never "not signed in"
    return status === 200;
  }, { what: 'to be accepted', deadlineMs: 30_000, everyMs: 50 });
  const people = Array.from({ length: 50 }, untilLetIn);
  await ingest.kill();
  ingest = await newIngest({ INGEST_LISTEN: listen });
  ingest.url = `http://${listen}`;
  await Promise.all(people);
  assert.equal(await rowsOf(id), 1);
});

test('sign-in: without brokers known users sign in, new ones get 503 in bounded time [F3]', async () => {
  const asking = await newIngest({ ...clerk.settings, CLERK_JWT_KEY: '' });
  const known = await existingUser();
  const ids = { ingest: clerkId(), asking: clerkId() };
  clerk.users.set(ids.asking, clerkUser({ id: ids.asking }));
  assert.equal((await verify(asking, tokenOf(known.id))).status, 200);
  await kafkaServer('stop', kafkaFolder);

  assert.equal((await call('GET', 'users/me', tokenOf(known.id))).status, 200);
  for (const [by, id] of [[ingest, ids.ingest], [asking, ids.asking]]) {
    const answer = await verify(by, tokenOf(id));
    assert.equal(answer.status, 503, JSON.stringify(answer.body));
    assert.ok(Number(answer.retryAfter) >= 1);
    assert.ok(answer.tookMs < 8000, `answered after ${answer.tookMs.toFixed(0)} ms`);
    assert.equal(await rowOf(id), undefined);
  }
  const seenByStrapi = await call('GET', 'users/me', tokenOf(ids.ingest));
  assert.equal(seenByStrapi.status, 503);
  assert.ok(seenByStrapi.headers.get('retry-after'));

  await kafkaServer('start', kafkaFolder);
  for (const [by, id] of [[ingest, ids.ingest], [asking, ids.asking]]) {
    await waitFor(async () => (await verify(by, tokenOf(id))).status === 200, { what: 'provisioning', deadlineMs: 60_000, everyMs: 200 });
    assert.equal(await rowsOf(id), 1);
  }
});

test("sign-in: with Clerk's API unreachable provisioning is 503, then recovers [F21]", async () => {
  const asking = await newIngest(clerk.settings); // keys from the PEM, users from Clerk
  const user = clerkUser();
  clerk.users.set(user.id, user);
  clerk.behave = async () => ({ status: 500, body: 'no' });
  assert.equal((await verify(asking, tokenOf(user.id))).status, 503);
  clerk.behave = async () => ({ status: 429, body: {}, headers: { 'retry-after': '1' } });
  assert.equal((await verify(asking, tokenOf(user.id))).status, 503);
  const asked = clerk.asked.users;
  assert.equal((await verify(asking, tokenOf(user.id))).status, 503); // a client that must wait does not send again early
  assert.equal(clerk.asked.users, asked);
  clerk.behave = async () => null;
  await waitFor(async () => (await verify(asking, tokenOf(user.id))).status === 200, { what: 'provisioning', everyMs: 100 });
  assert.equal((await rowOf(user.id)).email, user.email_addresses[0].email_address);
});
