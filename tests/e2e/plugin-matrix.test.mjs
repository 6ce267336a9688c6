// needs: database, strapi
// Which caller gets which response from a Strapi with the plugin: every route of the users and one of each other kind, for every
// kind of caller; beside it a Strapi without the plugin, from which nothing else may differ.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bearer, people, putPeople, setRole, startStrapiSite, teach, tokens } from './plugin-site.mjs';
import { startVerifyStage } from './verify-stage.mjs';

const callers = ['none', 'garbage', 'expired', 'badSignature', 'other', 'owner', 'blocked', 'deleted', 'provisioned', 'apiToken', 'localJwt', 'clerkJwt', 'down'];

// {own} is the row of "owner", {profile} a document; the columns are the callers above. "down": the owner, while ingest
// does not respond.
const matrix = `
route                                 none garb expi badS othr ownr blkd deld prov apiT locJ clkJ down
GET    users                          403  401  401  401  403  403  403  403  403  200  403  401  503
GET    users/count                    403  401  401  401  403  403  403  403  403  200  403  401  503
GET    users/me                       403  401  401  401  200  200  403  403  200  401  200  401  503
GET    users/{own}                    403  401  401  401  403  200  403  403  403  200  403  401  503
PUT    users/{own}          fullName  403  401  401  401  403  200  403  403  403  200  403  401  503
PUT    users/{own}          email     403  401  401  401  403  403  403  403  403  200  403  401  503
PUT    users/{own}          clerkId   403  401  401  401  403  403  403  403  403  200  403  401  503
DELETE users/{own}                    403  401  401  401  403  200  403  403  403  200  403  401  503
GET    users/0{own}                   403  401  401  401  403  403  403  403  403  200  403  401  503
GET    users/{own}%20                 403  401  401  401  403  403  403  403  403  200  403  401  503
POST   users                newUser   403  401  401  401  403  403  403  403  403  201  403  401  503
GET    user-profiles                  403  401  401  401  200  200  403  403  200  200  200  401  503
GET    user-profiles/{profile}        403  401  401  401  200  200  403  403  200  200  200  401  503
POST   user-profiles        profile   403  401  401  401  201  201  403  403  201  201  201  401  503
PUT    user-profiles/{profile} profile 403 401  401  401  403  403  403  403  403  200  403  401  503
GET    access/open                    200  200  200  200  200  200  200  200  200  200  200  200  200
GET    access/public-only             200  401  401  401  403  403  403  403  403  200  403  401  503
GET    access/members                 403  401  401  401  200  200  403  403  200  200  200  401  503
GET    access/denied                  403  401  401  401  403  403  403  403  403  200  403  401  503
GET    access/nameless                401  401  401  401  200  200  403  403  200  200  200  401  503
GET    access/strapi-only             403  401  401  401  401  401  401  401  401  401  200  401  401
POST   auth/local           login     403  401  401  401  403  403  403  403  403  403  403  401  503
POST   auth/local/register  register  403  401  401  401  403  403  403  403  403  403  403  401  503
POST   auth/forgot-password email     403  401  401  401  403  403  403  403  403  403  403  401  503
POST   auth/reset-password  reset     403  401  401  401  403  403  403  403  403  403  403  401  503
POST   auth/change-password change    403  401  401  401  403  403  403  403  403  403  403  401  503
POST   auth/send-email-confirmation email 403 401 401 401 403  403  403  403  403  403  403  401  503
GET    auth/email-confirmation?confirmation=x 403 401 401 401 403 403 403 403 403 403 403 401 503
GET    auth/google/callback           403  401  401  401  403  403  403  403  403  403  403  401  503
GET    connect/google                 403  401  401  401  403  403  403  403  403  403  403  401  503
POST   auth/refresh         reset     403  401  401  401  403  403  403  403  403  403  403  401  503
`;

let made = 0;
const bodies = {
  fullName: () => ({ fullName: 'Ada King' }),
  email: () => ({ email: 'owner@example.com' }),
  clerkId: () => ({ clerkId: 'user_2owner' }),
  newUser: () => ({ username: `made${++made}`, email: `made${made}@example.com`, password: 'correct horse', role: 1 }),
  profile: () => ({ data: { name: 'Gold' } }),
  login: () => ({ identifier: 'local', password: 'correct horse' }),
  register: () => ({ username: `reg${++made}`, email: `reg${made}@example.com`, password: 'correct horse' }),
  reset: () => ({ code: 'c', refreshToken: 'r', password: 'correct horse', passwordConfirmation: 'correct horse' }),
  change: () => ({ currentPassword: 'correct horse', password: 'battery staple', passwordConfirmation: 'battery staple' }),
};

const rows = matrix.trim().split('\n').slice(1).map((line) => {
  const words = line.trim().split(/\s+/);
  const statuses = words.slice(-callers.length).map(Number);
  const [method, route, body] = words.slice(0, -callers.length);
  return { name: [method, route, body].filter(Boolean).join(' '), method, route, body, expected: Object.fromEntries(callers.map((caller, i) => [caller, statuses[i]])) };
});

let stage;
let ours;
let plain;

async function startBoth() {
  stage = await startVerifyStage();
  teach(stage);
  ours = await startStrapiSite(stage, { ownerMayUpdate: ['fullName'], noImpersonation: ['/api/user-profiles'] });
  plain = await startStrapiSite(stage, null);
  for (const site of [ours, plain]) {
    const { body } = await site.strapi.call('POST', 'user-profiles', { body: bodies.profile() });
    site.profile = body.data.documentId;
  }
}
before(startBoth);

async function ask({ strapi, database, profile }, { method, route, body }, caller) {
  const headers = caller === 'apiToken' ? bearer(strapi.token) : bearer(tokens[caller === 'down' ? 'owner' : caller]);
  const place = route.replace('{own}', people.owner.id).replace('{profile}', profile);
  const answer = await strapi.call(method, place, { headers, body: body && bodies[body]() });
  if (method === 'DELETE' && answer.status === 200) await putPeople(database);
  return answer;
}

for (const row of rows) {
  test(`${row.name}: each caller gets the response of the table`, async () => {
    const seen = {};
    for (const caller of callers) {
      const answer = caller === 'down' ? await stage.during('unavailable', () => ask(ours, row, caller)) : await ask(ours, row, caller);
      seen[caller] = answer.status;
      if (answer.status === 503) assert.equal(answer.headers.get('retry-after'), '7');
      if (answer.status >= 400) assert.equal(answer.body.error.status, answer.status);
    }
    assert.deepEqual(seen, row.expected);
  });

  // Callers that Strapi authenticates itself. Its own login is closed on purpose, and therefore left out.
  if (/ (auth\/|connect\/)/.test(row.name)) continue;
  test(`${row.name}: Strapi's own and unknown callers get the response of a Strapi without plugin`, async () => {
    for (const caller of ['none', 'garbage', 'expired', 'badSignature', 'apiToken', 'localJwt'])
      assert.equal(row.expected[caller], (await ask(plain, row, caller)).status, caller);
  });
}

test('plugin: rejected changes have changed nothing, the allowed change has', async () => {
  const [owner] = await ours.database.rows('select email, clerk_id, full_name from up_users where id = $1', [people.owner.id]);
  assert.deepEqual(owner, { email: 'owner@example.com', clerk_id: 'user_2owner', full_name: null }); // deleted and restored since
  const put = (body) => ours.strapi.call('PUT', `users/${people.owner.id}`, { headers: bearer(tokens.owner), body });
  assert.equal((await put({ fullName: 'Ada King' })).status, 200);
  for (const [key, value] of Object.entries({
    id: 77, documentId: 'x23456789012345678901234', clerkId: 'user_2stolen', email: 'thief@example.com', username: 'thief', password: 'correct horse', provider: 'local',
    confirmed: false, blocked: false, role: 2, resetPasswordToken: 'mine', confirmationToken: 'mine', createdAt: '2000-01-01', createdBy: 1, locale: 'de', unknown: 1,
  })) {
    const { status, body } = await put({ fullName: 'Thief', [key]: value });
    assert.equal(status, 403, key);
    assert.match(body.error.message, new RegExp(`may not change ${key} here: users may change only fullName`));
    assert.deepEqual(body.error.details, { keys: [key] });
  }
  const [row] = await ours.database.rows('select * from up_users where id = $1', [people.owner.id]);
  assert.deepEqual(
    { id: row.id, email: row.email, username: row.username, clerk_id: row.clerk_id, full_name: row.full_name, reset: row.reset_password_token, password: row.password, provider: row.provider },
    { id: people.owner.id, email: 'owner@example.com', username: 'owner', clerk_id: 'user_2owner', full_name: 'Ada King', reset: null, password: null, provider: 'clerk' },
  );
});

test('plugin: only an API token changes other rows, and none reassigns a Clerk id', async () => {
  const all = (enabled) => Object.fromEntries(['find', 'findOne', 'update', 'destroy', 'create', 'count'].map((action) => [`plugin::users-permissions.user.${action}`, enabled]));
  await setRole(ours.strapi, 'authenticated', all(true));
  const call = (method, route, body) => ours.strapi.call(method, route, { headers: bearer(tokens.other), body });
  assert.ok((await call('GET', 'users')).body.length >= 5);
  assert.equal((await call('GET', 'users/count')).status, 200);
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const { status, body } = await call(method, `users/${people.owner.id}`, method === 'PUT' ? {} : undefined);
    assert.deepEqual([status, body.error.message], [403, 'Users may access only their own record.']);
  }
  const created = await call('POST', 'users', { ...bodies.newUser(), clerkId: 'user_2squatter' });
  assert.deepEqual([created.status, created.body.error.details], [403, { keys: ['clerkId'] }]);
  assert.equal((await call('POST', 'users', bodies.newUser())).status, 201);
  await setRole(ours.strapi, 'authenticated', all(false));
});

test('plugin: an impersonator acts as the user, except on closed paths [B14]', async () => {
  const get = (route, token, site = ours) => site.strapi.call('GET', route, { headers: bearer(token) });
  for (const route of ['user-profiles', `user-profiles/${ours.profile}`, 'USER-profiles/', 'user-profiles?sort=name']) {
    const { status, body } = await get(route, tokens.actedOwner);
    assert.deepEqual([status, body.error?.message], [403, 'Impersonation is not allowed here.'], route);
  }
  assert.equal((await get('user-profiles', tokens.owner)).status, 200);
  const me = await get('users/me', tokens.actedOwner);
  assert.deepEqual([me.status, me.body.id], [200, people.owner.id]);
  assert.equal((await get('access/members', tokens.actedOwner)).status, 200);
});

test('plugin: each closed route of local login names the alternative', async () => {
  const { status, body } = await ours.strapi.call('POST', 'auth/local', { headers: {}, body: bodies.login() });
  assert.deepEqual([status, body.error.message], [403, 'Local login is closed on this site: sign in with Clerk.']);
});
