// needs: database, strapi
// How the plugin uses ingest: which requests it sends and which not, how it treats each response and an outage, how soon a
// change of permissions applies, and what it writes to Strapi's log.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { answerFor, bearer, people, setRole, startStrapiSite, teach, tokens } from './plugin-site.mjs';
import { repository } from './support.mjs';
import { clerkToken, outages, startVerifyStage } from './verify-stage.mjs';

const { version } = JSON.parse(readFileSync(path.join(repository, 'deploy/strapi-plugin/package.json'), 'utf8'));

let stage;
let site;
const get = (route, headers) => site.strapi.call('GET', route, { headers });
const ours = () => site.strapi.log().split('\n').filter((line) => line.includes('clerk-sync: '));

before(async () => {
  stage = await startVerifyStage();
  teach(stage);
  // Abilities are cached for long, so that a change within the test comes from Strapi's events and not from expiry.
  site = await startStrapiSite(stage, { timeoutMs: 600, abilityCacheMs: 60_000 });
});

test('plugin: each request with a Clerk token calls ingest once, whatever the route', async () => {
  for (const [route, token] of [['users/me', 'owner'], ['users/me?populate=role', 'owner'], ['user-profiles?populate=user', 'owner'], ['users/me', 'blocked'], ['users/me', 'expired'], ['access/denied', 'other'], ['access/nameless', 'owner']]) {
    const { calls } = await stage.callsOf(() => get(route, bearer(tokens[token])));
    assert.deepEqual(calls, [{ url: '/v1/auth/verify', method: 'GET', token: tokens[token] }], route);
  }
});

test('plugin: other bearers, cookies and public routes never reach ingest', async () => {
  const foreign = [
    {}, bearer('garbage'), bearer('a.b.c'), bearer(tokens.localJwt), bearer(tokens.clerkJwt), bearer(site.strapi.token), bearer(clerkToken('owner', { alg: 'none' })),
    bearer(clerkToken('owner', { alg: 'RS512' })), bearer(`${tokens.owner}.more`), bearer(`${tokens.owner} more`), bearer(tokens.owner.replace(/[^.]*$/, '')),
    { authorization: `Basic ${tokens.owner}` }, { authorization: tokens.owner }, { cookie: `__session=${tokens.owner}` },
  ];
  const { calls } = await stage.callsOf(async () => {
    for (const headers of foreign) await get('users/me', headers);
    await get('access/open', bearer(tokens.owner));
    await get('access/strapi-only', bearer(tokens.owner));
  });
  assert.deepEqual(calls, []);
});

test('plugin: the bearer scheme is case-insensitive', async () => {
  assert.equal((await get('users/me', { authorization: `bEARER   ${tokens.owner}` })).status, 200);
});

test('plugin: connections to ingest are reused', async () => {
  const before = stage.connections;
  const { calls } = await stage.callsOf(async () => {
    for (let i = 0; i < 30; i += 1) assert.equal((await get('users/me', bearer(tokens.owner))).status, 200);
  });
  assert.equal(calls.length, 30);
  assert.ok(stage.connections - before <= 1, `${stage.connections - before} new connections`);
});

test("plugin: a site reads user, role and Clerk session from the request's state", async () => {
  const { body } = await get('access/members', bearer(tokens.owner));
  assert.deepEqual(body.user, { id: people.owner.id, role: 'authenticated' });
  assert.deepEqual(body.clerk, { clerkId: 'user_2owner', sessionId: 'sess_user_2owner', expiresAt: '2030-01-01T00:00:00Z' });
});

test('plugin: a user without a role is signed in and has no permissions', async () => {
  const token = clerkToken('without-role');
  stage.letIn(token, people.other.clerkId, answerFor('other', null));
  assert.equal((await get('access/nameless', bearer(token))).status, 200);
  assert.equal((await get('users/me', bearer(token))).status, 403);
});

test('plugin: a rejected token gets 401 with a challenge, or 403 with a reason', async () => {
  const expired = await get('users/me', bearer(tokens.expired));
  assert.deepEqual([expired.status, expired.headers.get('www-authenticate')], [401, 'Bearer error="invalid_token"']);
  assert.equal(expired.body.error.message, 'The session token is invalid or expired.');
  const blocked = await get('users/me', bearer(tokens.blocked));
  assert.deepEqual([blocked.status, blocked.body.error.message], [403, 'This user is blocked or deleted.']);
});

test('plugin: a changed permission applies to the next request [I5]', async () => {
  const statuses = async () => [(await get('access/denied', bearer(tokens.owner))).status, (await get('users', bearer(tokens.other))).status];
  assert.deepEqual(await statuses(), [403, 403]);
  await setRole(site.strapi, 'authenticated', { 'api::access.access.denied': true, 'plugin::users-permissions.user.find': true });
  assert.deepEqual(await statuses(), [200, 200]);
  await setRole(site.strapi, 'authenticated', { 'api::access.access.denied': false });
  assert.deepEqual(await statuses(), [403, 200]);
  await setRole(site.strapi, 'authenticated', { 'plugin::users-permissions.user.find': false });
  assert.deepEqual(await statuses(), [403, 403]);
});

test("plugin: a changed role in ingest's response changes what the user may do", async () => {
  const token = clerkToken('promoted');
  stage.letIn(token, people.other.clerkId, answerFor('other', { id: 2, type: 'public', name: 'Public' }));
  assert.equal((await get('access/members', bearer(token))).status, 403);
  stage.letIn(token, people.other.clerkId, answerFor('other'));
  assert.equal((await get('access/members', bearer(token))).status, 200);
});

for (const fault of outages) {
  test(`plugin: while ingest is ${fault}, Clerk tokens get 503, others pass [I5, I9]`, async () => {
    const started = performance.now();
    const { status, headers, body } = await stage.during(fault, () => get('users/me', bearer(tokens.owner)));
    assert.equal(status, 503);
    assert.ok(performance.now() - started < 5_000);
    assert.equal(headers.get('retry-after'), fault === 'unavailable' ? '7' : '1');
    assert.deepEqual(body.error.message, 'The session token cannot be verified at the moment. Please try again.');
    await stage.during(fault, async () => {
      assert.equal((await get('users/me', bearer(tokens.localJwt))).status, 200);
      assert.equal((await get('users', bearer(site.strapi.token))).status, 200);
      assert.equal((await get('access/public-only', {})).status, 200);
    });
    assert.equal((await get('users/me', bearer(tokens.owner))).status, 200);
  });
}

test('plugin: a refused connection to ingest is 503 as well, then it recovers [I9]', async () => {
  await stage.close();
  assert.equal((await get('users/me', bearer(tokens.owner))).status, 503);
  await stage.reopen();
  assert.equal((await get('users/me', bearer(tokens.owner))).status, 200);
});

test('plugin: a connection that ingest closed while idle causes no 503', async () => {
  assert.equal((await get('users/me', bearer(tokens.owner))).status, 200);
  await stage.close();
  await stage.reopen();
  const answers = await Promise.all(Array.from({ length: 8 }, () => get('users/me', bearer(tokens.owner))));
  assert.deepEqual(answers.map(({ status }) => status), Array(8).fill(200));
});

test('plugin: the log has one line at start, one per minute of an outage, and no secret [I6]', async () => {
  const lines = ours();
  assert.equal(lines.filter((line) => line.includes(`clerk-sync: version ${version}; users have clerkId and fullName`)).length, 1);
  assert.equal(lines.filter((line) => line.includes('clerk-ingest is unavailable')).length, 1);
  assert.equal(lines.filter((line) => line.includes('is available again')).length, 1);
  const log = site.strapi.log();
  for (const token of stage.table.keys()) for (const part of token.split('.').slice(1)) assert.ok(!log.includes(part), 'a token is in the log');
  assert.ok(!/@example\.com/.test(log));
  assert.ok(!/ at .*clerk-sync/.test(log), 'a stack of the plugin is in the log');
});
