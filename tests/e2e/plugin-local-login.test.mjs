// needs: database, strapi
// Strapi's own sign-in beside Clerk's: with allowLocalLogin a local user works as in plain Strapi, and a Clerk user
// never gets a Strapi token, in both forms that Strapi has for its tokens.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { bearer, people, startStrapiSite, teach, tokens } from './plugin-site.mjs';
import { startVerifyStage } from './verify-stage.mjs';

const password = 'correct horse';
const local = { identifier: 'local@example.com', password };
let stage;

before(async () => {
  stage = await startVerifyStage();
  teach(stage);
});

async function start(jwtManagement) {
  const site = await startStrapiSite(stage, { allowLocalLogin: true }, { SITE_JWT_MANAGEMENT: jwtManagement });
  const post = (route, body, headers = {}) => site.strapi.call('POST', route, { body, headers });
  // Both may have a password: a Clerk user's row may once have been a local one.
  for (const name of ['local', 'owner']) assert.equal((await site.strapi.call('PUT', `users/${people[name].id}`, { body: { password } })).status, 200);
  const row = async (name) => (await site.database.rows('select * from up_users where id = $1', [people[name].id]))[0];
  const set = (name, assignment) => site.database.rows(`update up_users set ${assignment} where id = ${people[name].id}`);
  return { ...site, post, row, set, me: (jwt) => site.strapi.call('GET', 'users/me', { headers: bearer(jwt) }) };
}

for (const jwtManagement of ['legacy-support', 'refresh']) {
  const of = ` (${jwtManagement})`;
  let site;
  const refused = (answer) => {
    assert.equal(answer.body.jwt, undefined);
    assert.equal(answer.body.refreshToken, undefined);
  };

  test(`local login: a local user registers, changes and resets a password, uses the token${of}`, async () => {
    site = await start(jwtManagement);
    const registered = await site.post('auth/local/register', { username: 'registered', email: 'registered@example.com', password });
    assert.equal((await site.me(registered.body.jwt)).body.username, 'registered');
    const { body } = await site.post('auth/local', local);
    assert.equal((await site.me(body.jwt)).status, 200);
    if (jwtManagement === 'refresh') assert.equal((await site.me((await site.post('auth/refresh', { refreshToken: body.refreshToken })).body.jwt)).status, 200);
    await site.set('local', "reset_password_token = 'code-of-local'");
    const reset = await site.post('auth/reset-password', { code: 'code-of-local', password: 'battery staple', passwordConfirmation: 'battery staple' });
    assert.equal((await site.me(reset.body.jwt)).status, 200);
    assert.equal((await site.post('auth/local', { ...local, password: 'battery staple' })).status, 200);
  });

  test(`local login: a Clerk user cannot sign in with a password, even if the row has one${of}`, async () => {
    refused(await site.post('auth/local', { identifier: 'owner@example.com', password })); // not a local user to Strapi
    await site.set('owner', "provider = 'local'");
    const answer = await site.post('auth/local', { identifier: 'owner@example.com', password });
    refused(answer);
    assert.deepEqual([answer.status, answer.body.error.message], [403, 'This user signs in with Clerk and cannot get a Strapi token or password.']);
    await site.set('owner', "provider = 'clerk'");
  });

  test(`local login: a Clerk user cannot reset a password, and the response does not differ${of}`, async () => {
    const forgot = (email) => site.post('auth/forgot-password', { email });
    const [known, unknown] = [await forgot('Owner@example.com'), await forgot('unknown@example.com')];
    assert.deepEqual([known.status, known.body], [unknown.status, unknown.body]);
    assert.equal((await site.row('owner')).reset_password_token, null);

    await site.set('owner', "reset_password_token = 'code-of-owner'");
    const before = await site.row('owner');
    const answers = [];
    for (const code of ['code-of-owner', 'no such code']) answers.push(await site.post('auth/reset-password', { code, password, passwordConfirmation: password }));
    assert.deepEqual([answers[0].status, answers[0].body], [answers[1].status, answers[1].body]);
    assert.deepEqual(await site.row('owner'), before);
  });

  test(`local login: a Clerk user gets no Strapi token for a new password or confirmed e-mail${of}`, async () => {
    await site.strapi.call('PUT', `users/${people.owner.id}`, { body: { confirmationToken: 'confirm-owner', confirmed: false } });
    assert.equal((await site.strapi.call('GET', 'auth/email-confirmation?confirmation=confirm-owner', { headers: {} })).status, 400);
    assert.equal((await site.row('owner')).confirmed, false);
    const { password: earlier } = await site.row('owner');
    const answer = await site.post('auth/change-password', { currentPassword: password, password: 'battery staple', passwordConfirmation: 'battery staple' }, bearer(tokens.owner));
    assert.equal(answer.status, 403);
    assert.equal((await site.row('owner')).password, earlier);
  });

  test(`local login: a local user linked to Clerk loses the old Strapi token at once${of}`, async () => {
    const signIn = async () => (await site.post('auth/local', { ...local, password: 'battery staple' })).body;
    const [body, elsewhere] = [await signIn(), await signIn()];
    assert.equal((await site.me(body.jwt)).status, 200);
    await site.set('local', "clerk_id = 'user_2linked'");
    assert.equal((await site.me(body.jwt)).status, 401);
    if (jwtManagement === 'refresh') {
      refused(await site.post('auth/refresh', { refreshToken: body.refreshToken }));
      await site.set('local', 'clerk_id = null');
      refused(await site.post('auth/refresh', { refreshToken: elsewhere.refreshToken })); // all sessions of the user were ended
    }
    await site.set('local', 'clerk_id = null');
  });

  test(`local login: a registration with a Clerk id is rejected${of}`, async () => {
    const { status, body } = await site.post('auth/local/register', { username: 'squatter', email: 'squatter@example.com', password, clerkId: 'user_2squatter' });
    assert.deepEqual([status, body.error.details], [403, { keys: ['clerkId'] }]);
  });

  test(`local login: without a list of fields no user changes their row${of}`, async () => {
    const { status, body } = await site.strapi.call('PUT', `users/${people.other.id}`, { headers: bearer(tokens.other), body: { fullName: 'Ada King' } });
    assert.equal(status, 403);
    assert.match(body.error.message, /may not change fullName here: users may change no field; the profile is changed in Clerk/);
    await site.strapi.stop();
  });
}
