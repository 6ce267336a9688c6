// needs: database, kafka, strapi
// A site that used the legacy plugin: its users are adopted, and where the plugin wrote a user several times,
// `clerk-worker migrate --merge-duplicates` keeps one row. Checked by SQL and by a real Strapi.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { connectKafka, eventRecord } from './records.mjs';
import { allProfiles, documents, profileTypes, rest, shownProfiles, shownUser, uidOf } from './strapi-view.mjs';
import { clerkUser, command, newSiteDatabase, newTopics, startStrapi, startWorker, userDeleted, userUpdated, waitFor } from './support.mjs';

// The legacy plugin had no inverse sides. Types with one are left out, so that only the tests add references to a user.
const legacyTypes = ['user-profile', 'member-profile'];
let database;
let strapi;
let kafka;

before(async () => {
  [database, kafka] = await Promise.all([newSiteDatabase(), connectKafka()]);
  strapi = await startStrapi(database);
});

// As the legacy plugin leaves users: cuid-like document ids, no provider, the original e-mail, a generated name if there is none.
let made = 0;
async function legacyRow(user, { name = 'Ada Lovelace', blocked = false, profiles = legacyTypes, profileName = name } = {}) {
  const at = '2025-03-01 10:00:00.123';
  const text = `${user.id}-${++made}`;
  const [{ id }] = await database.rows(
    `insert into up_users (document_id, username, email, confirmed, blocked, created_at, updated_at, published_at, clerk_id, full_name)
     values ('u' || substr(md5($1), 1, 23), $2, $2, true, $3, $4, $4, $4, $5, $6) returning id`,
    [text, user.email_addresses[0].email_address.toUpperCase(), blocked, at, user.id, name],
  );
  await database.rows("insert into up_users_role_lnk (user_id, role_id, user_ord) select $1, id, 1 from up_roles where type = 'authenticated'", [id]);
  for (const type of profiles) {
    const { table, link: [link, column], drafts } = profileTypes[type];
    const [profile] = await database.rows(
      `insert into ${table} (document_id, name, created_at, updated_at, published_at) values ('p' || substr(md5($1), 1, 23), $2, $3, $3, $4) returning id`,
      [`${type} ${text}`, profileName, at, drafts ? null : at],
    );
    await database.rows(`insert into ${link} (${column}, user_id) values ($1, $2)`, [profile.id, id]);
  }
  return id;
}

const migrate = async (...flags) => {
  const done = await command('clerk-worker', ['migrate', '--json', ...flags], { DATABASE_URL: database.url, STRAPI_PROFILE_CONTENT_TYPES: legacyTypes.join(',') });
  return { code: done.code, stderr: done.stderr, ...JSON.parse(done.stdout) };
};
const idsOf = async (user) => (await database.rows('select id from up_users where clerk_id = $1 order by id', [user.id])).map(({ id }) => id);
const countOf = async (table) => (await database.rows(`select count(*)::int as n from ${table}`))[0].n;
const article = (author, more = {}) => documents(strapi, uidOf('article'), 'create', { data: { title: 'On engines', author, ...more } });
const everything = () =>
  database.rows(`select (select jsonb_agg(u order by id) from up_users u) as users, (select jsonb_agg(p order by id) from user_profiles p) as profiles,
    (select jsonb_agg(p order by id) from member_profiles p) as members, (select jsonb_agg(l order by id) from up_users_role_lnk l) as roles, (select jsonb_agg(l order by id) from articles_author_lnk l) as authors`);

const users = Object.fromEntries(['once', 'bare', 'second', 'several', 'banned', 'edited', 'pictured', 'shared', 'profiled'].map((name) => [name, clerkUser()]));
const ids = {};

test("migrate: lists the legacy plugin's duplicates and references, changes nothing, exit 3", async () => {
  for (const [name, user] of Object.entries(users)) {
    ids[name] = [];
    for (let i = 0; i < (name === 'once' ? 1 : 3); i++) ids[name].push(await legacyRow(user, { blocked: name === 'banned' && i === 2, profileName: i === 2 ? 'SwiftTiger4821' : 'Ada Lovelace' }));
  }
  await article(ids.second[1], { readers: [ids.second[1]] });
  await article(ids.several[0]);
  await article(ids.several[2]);
  const profileOf = async (user) => (await database.rows('select p.id, p.document_id from user_profiles p join user_profiles_user_lnk l on l.user_profile_id = p.id where l.user_id = $1', [user]))[0];
  await rest(strapi, 'PUT', `user-profiles/${(await profileOf(ids.edited[2])).document_id}`, { data: { credits: 99 } });
  const [{ id: file }] = await database.rows("insert into files (document_id, name, url, provider) values ('f23456789012345678901234', 'ada.png', '/ada.png', 'local') returning id");
  await database.rows("insert into files_related_mph (file_id, related_id, related_type, field, \"order\") values ($1, $2, 'plugin::users-permissions.user', 'avatar', 1), ($1, $3, 'api::article.article', 'cover', 1)", [file, ids.pictured[1], ids.pictured[2]]);
  await database.rows('insert into user_profiles_user_lnk (user_profile_id, user_id) select user_profile_id, $1 from user_profiles_user_lnk where user_id = $2', [ids.shared[0], ids.shared[1]]);
  await article(null, { owner: (await profileOf(ids.profiled[1])).id });

  const before = await everything();
  const listed = await migrate();
  assert.equal(listed.code, 3);
  assert.match(listed.stderr, /8 Clerk users have several Strapi rows\. .*--merge-duplicates/);
  assert.deepEqual(listed.duplicates.map(({ clerk_id: id }) => id).sort(), Object.entries(users).filter(([name]) => name !== 'once').map(([, { id }]) => id).sort());
  const found = Object.fromEntries(Object.entries(users).map(([name, { id }]) => [name, listed.duplicates.find((one) => one.clerk_id === id)?.rows.map(({ content }) => content)]));
  assert.deepEqual(found, {
    once: undefined,
    bare: [{}, {}, {}],
    second: [{}, { articles_author_lnk: 1, articles_readers_lnk: 1 }, {}],
    several: [{ articles_author_lnk: 1 }, {}, { articles_author_lnk: 1 }],
    banned: [{}, {}, {}],
    edited: [{}, {}, { user_profiles: 1 }],
    pictured: [{}, { files_related_mph: 1 }, {}],
    shared: [{}, {}, {}],
    profiled: [{}, { articles_owner_lnk: 1 }, {}],
  });
  assert.deepEqual(await everything(), before);
});

test('migrate --merge-duplicates --dry-run: names the rows to keep, changes nothing, exit 3', async () => {
  const before = await everything();
  const dry = await migrate('--merge-duplicates', '--dry-run');
  assert.deepEqual([dry.code, dry.dry_run], [3, true]);
  const planned = Object.fromEntries(dry.duplicates.map(({ clerk_id: id, decision, kept }) => [id, [decision, kept]]));
  const [would, left] = ['would merge', 'left'];
  const expected = {
    bare: [would, ids.bare[0]], second: [would, ids.second[1]], several: [left, null], banned: [would, ids.banned[0]], edited: [would, ids.edited[2]],
    pictured: [would, ids.pictured[1]], shared: [would, ids.shared[0]], profiled: [would, ids.profiled[1]],
  };
  for (const [name, plan] of Object.entries(expected)) assert.deepEqual(planned[users[name].id], plan, name);
  assert.deepEqual(await everything(), before);
  const { stdout } = await command('clerk-worker', ['migrate', '--merge-duplicates', '--dry-run'], { DATABASE_URL: database.url, STRAPI_PROFILE_CONTENT_TYPES: legacyTypes.join(',') });
  assert.match(stdout, new RegExp(`id ${ids.second[1]} +kept +articles_author_lnk: 1`));
});

test('migrate --merge-duplicates: keeps the row with content, else the lowest id [I4]', async () => {
  const articles = [await countOf('articles'), await countOf('articles_author_lnk'), await countOf('articles_readers_lnk'), await countOf('articles_owner_lnk'), await countOf('files_related_mph')];
  const merged = await migrate('--merge-duplicates');
  assert.equal(merged.code, 3);
  assert.match(merged.stderr, /1 Clerk users have several Strapi rows\. Several of their rows have content/);
  const kept = { once: 0, bare: 0, second: 1, banned: 0, edited: 2, pictured: 1, shared: 0, profiled: 1 };
  for (const [name, row] of Object.entries(kept)) assert.deepEqual(await idsOf(users[name]), [ids[name][row]], name);
  assert.deepEqual(await idsOf(users.several), ids.several);
  assert.deepEqual([await countOf('articles'), await countOf('articles_author_lnk'), await countOf('articles_readers_lnk'), await countOf('articles_owner_lnk'), await countOf('files_related_mph')], articles);
  // One profile each; `several` has two more, and one more belongs to a profile that two rows of `shared` had.
  for (const [table, n] of [['user_profiles', 8 + 3 + 1], ['member_profiles', 8 + 3]]) {
    assert.equal(await countOf(table), n, table);
    const link = `${table}_user_lnk`;
    assert.deepEqual(await database.rows(`select id from ${table} p where not exists (select 1 from ${link} l where l.${table.slice(0, -1)}_id = p.id)`), [], table);
  }
  for (const name of Object.keys(kept)) {
    const shown = await shownUser(strapi, users[name].id);
    assert.equal(shown.role.type, 'authenticated', name);
    assert.equal(shown.blocked, name === 'banned', name); // one of the rows was blocked; the merge must keep that
    assert.equal((await shownProfiles(strapi, users[name].id, 'member-profile')).length, 1, name);
  }
  assert.equal((await shownProfiles(strapi, users.edited.id, 'user-profile'))[0].credits, 99);
});

test('migrate --merge-duplicates: merges, makes the indexes, then has nothing to do, exit 0', async () => {
  for (const { documentId } of await documents(strapi, uidOf('article'), 'findMany', { filters: { author: { id: ids.several[2] } } })) {
    await rest(strapi, 'PUT', `articles/${documentId}`, { data: { author: ids.several[0] } });
  }
  assert.equal((await migrate('--merge-duplicates')).code, 0);
  assert.deepEqual(await idsOf(users.several), [ids.several[0]]);
  const again = await migrate('--merge-duplicates');
  assert.equal(again.code, 0);
  assert.ok(again.steps.every(({ state }) => state === 'present'), JSON.stringify(again.steps));
  assert.equal((await migrate('--dry-run')).code, 0);
});

test("adoption: the legacy plugin's users keep ids, roles, content, and follow Clerk [E10, I4]", async () => {
  const topics = await newTopics();
  const before = Object.fromEntries(await Promise.all(Object.values(users).map(async ({ id }) => [id, await shownUser(strapi, id)])));
  const worker = await startWorker({ ...topics, DATABASE_URL: database.url, STRAPI_PROFILE_CONTENT_TYPES: allProfiles });
  const processed = async (...envelopes) => {
    const begin = (await worker.metrics()).value('clerk_worker_events_total');
    await kafka.appendAll(topics.TOPIC_USER_EVENTS, 3, envelopes.map((one) => eventRecord(one)));
    await waitFor(async () => (await worker.metrics()).value('clerk_worker_events_total') === begin + envelopes.length, { what: `${envelopes.length} events processed` });
  };
  const next = (user) => ({ ...user, first_name: 'Augusta', updated_at: user.updated_at + 1 });
  const { once, ...others } = users;
  await processed(...Object.values(users).map((user) => userUpdated(next(user))));
  assert.equal((await worker.metrics()).value('clerk_worker_events_total', { outcome: 'adopted' }), Object.keys(users).length);
  for (const [name, user] of Object.entries(users)) {
    const [now, then] = [await shownUser(strapi, user.id), before[user.id]];
    for (const key of ['id', 'documentId', 'createdAt', 'publishedAt']) assert.equal(now[key], then[key], `${name}: ${key}`);
    assert.deepEqual([now.email, now.fullName, now.provider, now.blocked], [user.email_addresses[0].email_address, 'Augusta Lovelace', 'clerk', name === 'banned'], name);
    for (const type of Object.keys(profileTypes)) assert.equal((await shownProfiles(strapi, user.id, type)).length, name === 'shared' && type === 'user-profile' ? 2 : 1, `${name}: ${type}`);
  }
  // The name follows where it was the full name; the legacy plugin's generated name and an edited profile stay.
  assert.equal((await shownProfiles(strapi, once.id, 'user-profile'))[0].name, 'Augusta Lovelace');
  assert.equal((await shownProfiles(strapi, users.edited.id, 'user-profile'))[0].name, 'SwiftTiger4821');
  assert.equal((await shownProfiles(strapi, users.edited.id, 'm2o-profile'))[0].name, 'Augusta Lovelace'); // created at adoption

  const articles = await countOf('articles');
  await processed(...Object.values(others).map((user) => userDeleted(user.id)));
  for (const user of Object.values(others)) assert.equal(await shownUser(strapi, user.id), null);
  assert.equal(await countOf('articles'), articles);
  for (const type of Object.keys(profileTypes)) assert.equal(await countOf(profileTypes[type].table), 1, type);
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
});
