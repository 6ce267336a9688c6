// needs: database, strapi
// The companion plugin on a real Strapi: what its README promises about the two columns.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { newSiteDatabase, startStrapi } from './support.mjs';

const columns = (database) =>
  database
    .rows("select column_name from information_schema.columns where table_name = 'up_users' and column_name in ('clerk_id', 'full_name') order by 1")
    .then((rows) => rows.map((row) => row.column_name));

let database;
let strapi;

before(async () => {
  database = await newSiteDatabase();
});

test('plugin: a user written by SQL is a user of the site, with Clerk id and full name', async () => {
  strapi = await startStrapi(database);
  await database.rows(`
    with u as (insert into up_users (document_id, username, email, provider, confirmed, blocked, created_at, updated_at, published_at, clerk_id, full_name)
                    values ('a23456789012345678901234', 'ada', 'ada@example.com', 'clerk', true, false, now(), now(), now(), 'user_2ada', 'Ada Lovelace') returning id)
    insert into up_users_role_lnk (user_id, role_id, user_ord) select u.id, r.id, 1 from u, up_roles r where r.type = 'authenticated'`);

  const { status, body } = await strapi.call('GET', 'users?populate=role');

  assert.equal(status, 200);
  assert.equal(body.length, 1);
  assert.equal(body[0].clerkId, 'user_2ada');
  assert.equal(body[0].fullName, 'Ada Lovelace');
  assert.equal(body[0].role.type, 'authenticated');
});

test('plugin: Strapi rejects a second user with the same Clerk id', async () => {
  const { status } = await strapi.call('POST', 'users', {
    body: { username: 'impostor', email: 'impostor@example.com', password: 'correct horse', role: 1, clerkId: 'user_2ada' },
  });
  assert.equal(status, 400);
});

test('plugin: the columns and their data survive a boot', async () => {
  await strapi.stop();
  strapi = await startStrapi(database, { folder: strapi.folder });
  assert.deepEqual(await columns(database), ['clerk_id', 'full_name']);
  assert.equal((await strapi.call('GET', 'users')).body[0].clerkId, 'user_2ada');
});

test('plugin: a profile links to a user under any attribute name, also with a shortened table', async () => {
  const user = (await strapi.call('GET', 'users')).body[0];
  const created = await strapi.call('POST', 'customer-loyalty-programs?populate=primaryAccountHolder', {
    body: { data: { name: 'Gold', primaryAccountHolder: user.id } },
  });
  assert.equal(created.status, 201);
  assert.equal(created.body.data.primaryAccountHolder.clerkId, 'user_2ada');
});

test('plugin: disabling it drops both columns at the next boot, as its README warns', async () => {
  await strapi.stop();
  strapi = await startStrapi(database, { folder: strapi.folder, plugin: 'off' });
  assert.deepEqual(await columns(database), []);
});
