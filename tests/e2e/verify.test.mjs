// needs: database, kafka, strapi
// Session tokens, from outside: which are accepted, how soon a ban or a new role applies, and how a user that Strapi does
// not have yet is provisioned during the request. Apache Kafka, PostgreSQL with a Strapi site's tables, both programs.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { startClerk } from './clerk-stand-in.mjs';
import { connectKafka, eventRecord } from './records.mjs';
import {
  clerkId, clerkUser, command, instanceId, newSigningKey, newSiteDatabase, newTopics, readUser, sendWebhook, startIngest,
  startWorker, userCreated, userDeleted, userUpdated, waitFor, webhookSecret,
} from './support.mjs';

const key = newSigningKey();
const issuer = 'https://clerk.example.com';
const secondMs = 1000; // VERIFY_CACHE_MS

let database;
let topics;
let kafka;
let clerk;
let provisioned; // the records of that topic, as they arrive
let worker;
let ingest; // with a PEM: has only the users' tokens
let asking; // with a secret key: reads users from Clerk

const workerSettings = () => ({ ...topics, DATABASE_URL: database.url, STRAPI_PROFILE_CONTENT_TYPES: 'user-profile', CLERK_INSTANCE_IDS: instanceId });
const ingestSettings = (more) => ({ ...topics, DATABASE_URL: database.url, CLERK_ISSUER: issuer, CLERK_INSTANCE_IDS: instanceId, ...more });

before(async () => {
  [database, topics, kafka, clerk] = await Promise.all([newSiteDatabase(), newTopics(), connectKafka(), startClerk({ keys: [key] })]);
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  provisioned = await kafka.follow(topics.TOPIC_PROVISIONING);
  [worker, ingest, asking] = await Promise.all([
    startWorker(workerSettings()),
    startIngest(ingestSettings({ CLERK_JWT_KEY: key.pem })),
    startIngest(ingestSettings(clerk.settings)),
  ]);
});

const tokenOf = (id, claims = {}) => key.sign({ sub: id, ...claims });

async function verify(token, { by = ingest, headers = {} } = {}) {
  const began = performance.now();
  const answer = await fetch(`${by.url}/v1/auth/verify`, {
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
    signal: AbortSignal.timeout(15_000),
  });
  const body = await answer.json();
  return { status: answer.status, problem: body.type?.split(':').at(-1), body, headers: answer.headers, tookMs: performance.now() - began };
}

const send = async (body, by = ingest) => assert.equal((await sendWebhook(by.url, webhookSecret, { body })).status, 200);
const rowOf = async (id) => (await readUser(database, id))?.user;
const rowComes = (id) => waitFor(() => rowOf(id), { what: `the row of ${id}` });
const rowGoes = (id) => waitFor(async () => !(await rowOf(id)), { what: `the row of ${id} gone` });

async function existingUser(data) {
  const user = clerkUser(data);
  await send(userCreated(user));
  await rowComes(user.id);
  return user;
}

// What a response becomes within VERIFY_CACHE_MS of the commit, and a little for the transport.
async function becomes(token, status, committedAt, options) {
  const seen = await waitFor(async () => {
    const answer = await verify(token, options);
    return answer.status === status && answer;
  }, { what: `an answer ${status}`, deadlineMs: 5000, everyMs: 25 });
  const tookMs = performance.now() - committedAt;
  assert.ok(tookMs < secondMs + 1000, `counted after ${tookMs.toFixed(0)} ms`); // the second is for a busy machine
  return seen;
}

test('verify: a good token returns the row of Strapi, exactly as in the contract', async () => {
  const user = await existingUser({ username: 'verify_me' });
  const exp = Math.floor(Date.now() / 1000) + 50;
  const act = { sub: 'user_2support', iss: 'https://dashboard.example', sid: 'sess_2support' };
  const answer = await verify(tokenOf(user.id, { exp, act, o: { id: 'org_1', slg: 'acme', rol: 'admin' } }));
  assert.equal(answer.status, 200);
  const row = await rowOf(user.id);
  const [role] = await database.rows("select id, type, name from up_roles where type = 'authenticated'");
  assert.deepEqual(answer.body, {
    clerkId: user.id,
    sessionId: 'sess_2endtoendtests',
    expiresAt: exp,
    actor: act,
    organization: { id: 'org_1', slug: 'acme', role: 'admin', permissions: [] },
    user: { id: row.id, documentId: row.document_id, username: 'verify_me', email: row.email, confirmed: true, blocked: false, role },
  });
  assert.equal(answer.headers.get('cache-control'), 'no-store');
});

test('verify: a missing, bad or expired token is 401 with a challenge and its class only [I5]', async () => {
  const user = await existingUser();
  const now = Math.floor(Date.now() / 1000);
  const cases = [
    [null, 'missing_token'],
    ['hello', 'invalid_token'],
    [newSigningKey().sign({ sub: user.id }), 'invalid_token'],
    [tokenOf(user.id, { iss: 'https://clerk.example.org' }), 'invalid_token'],
    [tokenOf(user.id, { iat: now - 70, nbf: now - 80, exp: now - 10 }), 'expired_token'],
  ];
  for (const [token, problem] of cases) {
    const answer = await verify(token);
    assert.equal(answer.status, 401, problem);
    assert.equal(answer.problem, problem);
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"');
    assert.deepEqual(Object.keys(answer.body).sort(), ['status', 'title', 'type']);
  }
});

test("verify: an admin's block, a ban and a new role apply within a second of their commit", async () => {
  const user = await existingUser();
  const token = tokenOf(user.id);
  assert.equal((await verify(token)).status, 200);

  await database.rows('update up_users set blocked = true where clerk_id = $1', [user.id]);
  assert.equal((await becomes(token, 403, performance.now())).problem, 'user_blocked');
  await database.rows('update up_users set blocked = false where clerk_id = $1', [user.id]);
  await becomes(token, 200, performance.now());

  await database.rows(`update up_users_role_lnk set role_id = (select id from up_roles where type = 'public')
                        where user_id = (select id from up_users where clerk_id = $1)`, [user.id]);
  const changedAt = performance.now();
  const changed = await waitFor(async () => {
    const { body } = await verify(token);
    return body.user?.role?.type === 'public' && performance.now();
  }, { what: 'the new role', deadlineMs: 5000 });
  assert.ok(changed - changedAt < secondMs + 1000);

  await send(userUpdated({ ...user, banned: true, updated_at: user.updated_at + 1 }));
  await waitFor(async () => (await rowOf(user.id)).blocked, { what: 'the ban in the rows' });
  assert.equal((await becomes(token, 403, performance.now())).problem, 'user_blocked');
});

test('verify: a deleted user is forbidden while the token is valid, never created again [I3]', async () => {
  const user = await existingUser();
  const token = tokenOf(user.id);
  assert.equal((await verify(token)).status, 200);
  await send(userDeleted(user.id));
  await rowGoes(user.id);
  assert.equal((await becomes(token, 403, performance.now())).problem, 'user_deleted');
  assert.equal((await verify(token, { by: asking })).status, 403);
  assert.equal(await rowOf(user.id), undefined);
});

test('provisioning: creates the row from the token during the request; the next is cached', async () => {
  const id = clerkId();
  const token = tokenOf(id, { email: `${id}@Example.com`, first_name: 'Ada', last_name: 'King' });
  const first = await verify(token);
  assert.equal(first.status, 200, JSON.stringify(first.body));
  assert.equal(first.body.user.email, `${id}@example.com`);
  const { user, roles, profiles } = await readUser(database, id);
  assert.equal(user.full_name, 'Ada King');
  assert.deepEqual(roles.map((role) => role.type), ['authenticated']);
  assert.deepEqual(profiles.user_profile.map((one) => one.name), ['Ada King']);
  const second = await verify(token);
  assert.deepEqual(second.body, first.body);
  assert.ok(second.tookMs < first.tookMs, `${second.tookMs} ms after ${first.tookMs} ms`);
});

test('provisioning: fifty first requests of one user give one row, and all succeed [I4]', async () => {
  for (const by of [ingest, asking]) {
    const user = clerkUser();
    clerk.users.set(user.id, user);
    const token = tokenOf(user.id);
    const before = clerk.asked.users;
    const answers = await Promise.all(Array.from({ length: 50 }, () => verify(token, { by })));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(new Set(answers.map(({ body }) => body.user.id)).size, 1);
    assert.equal((await database.rows('select count(*)::int as n from up_users where clerk_id = $1', [user.id]))[0].n, 1);
    if (by === asking) assert.equal(clerk.asked.users, before + 1);
  }
});

test("provisioning: with a secret key Clerk's data counts; an unknown user is 401", async () => {
  const user = clerkUser({ username: `known_${Date.now()}`, first_name: 'Grace', last_name: 'Hopper' });
  clerk.users.set(user.id, user);
  const answer = await verify(tokenOf(user.id, { email: 'not-this@example.com' }), { by: asking });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.user.username, user.username);
  assert.equal((await rowOf(user.id)).email, user.email_addresses[0].email_address);

  const stranger = clerkId();
  const refused = await verify(tokenOf(stranger), { by: asking });
  assert.equal(refused.status, 401);
  await waitFor(() => provisioned.some((record) => record.key === user.id), { what: 'the published snapshot' });
  assert.ok(!provisioned.some((record) => record.key === stranger));
});

test('provisioning: a webhook before, with or after it gives one row with the newest data [I2]', async () => {
  const users = Array.from({ length: 9 }, (_, i) => clerkUser({ username: `race_${i}_${Date.now()}` }));
  const token = (user) => tokenOf(user.id, { email: 'claimed@example.com', first_name: 'Claimed' });
  await Promise.all(users.map(async (user, i) => {
    const orders = [
      async () => { await send(userCreated(user)); return verify(token(user)); },
      async () => (await Promise.all([verify(token(user)), send(userCreated(user))]))[0],
      async () => { const answer = await verify(token(user)); await send(userCreated(user)); return answer; },
    ];
    assert.equal((await orders[i % 3]()).status, 200);
  }));
  for (const user of users) {
    await waitFor(async () => (await rowOf(user.id))?.username === user.username, { what: "the webhook's data" });
    assert.equal((await database.rows('select count(*)::int as n from up_users where clerk_id = $1', [user.id]))[0].n, 1);
  }
});

test('provisioning: a row removed by hand returns from the stored state at the next request', async () => {
  const user = await existingUser({ username: `back_${Date.now()}` });
  const row = await rowOf(user.id);
  const token = tokenOf(user.id);
  assert.equal((await verify(token)).status, 200);
  await database.rows('delete from up_users where clerk_id = $1', [user.id]);
  const back = await waitFor(async () => {
    const answer = await verify(token);
    return answer.status === 200 && answer.body.user.id !== row.id && answer;
  }, { what: 'the new row' });
  assert.equal(back.body.user.username, user.username);
  assert.equal(back.body.user.documentId, row.document_id);
});

test('provisioning: does not wait behind a backlog of webhooks', async () => {
  const held = await existingUser();
  const waiting = Array.from({ length: 1000 }, () => eventRecord(userCreated(clerkUser())));
  const applied = async () => (await worker.metrics()).value('clerk_worker_events_total', { type: 'user.created' });
  await worker.stop();
  await kafka.appendAll(topics.TOPIC_USER_EVENTS, 0, [eventRecord(userUpdated({ ...held, updated_at: held.updated_at + 1 })), ...waiting]);
  // The backlog does not move: another session holds the first user's state.
  const session = await database.connect();
  await session.query('begin');
  await session.query('select 1 from clerk_sync.user_state where clerk_id = $1 for update', [held.id]);
  worker = await startWorker(workerSettings());
  await waitFor(async () => (await verify(tokenOf(clerkId()))).status === 200, { what: 'provisioning', deadlineMs: 30_000 });
  assert.equal(await applied(), 0, 'the backlog must not move');
  await session.query('rollback');
  session.release();
  await waitFor(async () => (await applied()) === waiting.length, { what: 'the backlog applied', deadlineMs: 60_000 });
});

test('verify: a cookie is read without a bearer; from another site it is rejected [B19, B20]', async () => {
  const user = await existingUser();
  const cookie = `__session=${tokenOf(user.id, { azp: 'https://app.example.com' })}`;
  assert.equal((await verify(null, { headers: { cookie } })).status, 200);
  assert.equal((await verify(null, { headers: { cookie, origin: 'https://app.example.com' } })).status, 200);
  assert.equal((await verify(null, { headers: { cookie, origin: 'https://evil.example' } })).status, 401);
  assert.equal((await verify('hello', { headers: { cookie } })).status, 401);
});

test("verify: the gateway's five routes and all others", async () => {
  const [mine, other] = [await existingUser(), await existingUser()];
  const token = tokenOf(mine.id);
  const [me, another] = [await rowOf(mine.id), await rowOf(other.id)];
  const ask = async (uri, bearer, method = 'GET') => {
    const answer = await fetch(`${ingest.url}/v1/auth/gateway`, {
      headers: { 'x-original-method': method, 'x-original-uri': uri, 'x-strapi-user-id': '1', ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) },
    });
    const text = await answer.text();
    if (answer.status === 200) assert.equal(text, '');
    return { status: answer.status, id: answer.headers.get('x-strapi-user-id'), clerk: answer.headers.get('x-clerk-user-id'), role: answer.headers.get('x-strapi-user-role') };
  };
  const noIdentity = { status: 200, id: null, clerk: null, role: null };
  const identity = { status: 200, id: String(me.id), clerk: mine.id, role: 'authenticated' };
  assert.deepEqual(await ask(`/api/users/${me.id}`, token), identity);
  assert.deepEqual(await ask('/api/users/me', token), identity);
  assert.deepEqual(await ask('/api/articles?x=1', token), identity);
  assert.deepEqual(await ask('/api/articles', null), noIdentity);
  assert.deepEqual(await ask('/api/users', null, 'OPTIONS'), noIdentity);
  assert.equal((await ask('/api/users', null)).status, 401);
  assert.equal((await ask(`/api/users/${another.id}`, token)).status, 403);
  assert.equal((await ask(`/api/users/${another.id}`, token, 'DELETE')).status, 403);
  assert.equal((await ask(`/api/users/..%2f${me.id}`, token)).status, 403);
});
