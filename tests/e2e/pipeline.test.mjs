// needs: database, kafka, strapi
// The whole pipeline with every part real: a webhook signed by svix, our two programs, Apache Kafka, PostgreSQL, and
// Strapi, which must not be able to distinguish our rows from its own.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { connectKafka } from './records.mjs';
import {
  clerkUser, command, copySite, newSiteDatabase, newTopics, sendWebhook, startIngest, startStrapi, startWorker,
  userCreated, userDeleted, userUpdated, waitFor, webhookSecret,
} from './support.mjs';

// Every profile type of the test site: as Strapi's API calls it, and as the worker is configured.
const profileTypes = {
  'user-profile': { attribute: 'user', drafts: false }, // with defaults
  'member-profile': { attribute: 'user', drafts: true },
  'loc-profile': { attribute: 'user', drafts: true }, // and localized
  'bidi-profile': { attribute: 'user', drafts: false }, // related in both directions
  'm2o-profile': { attribute: 'user', drafts: false }, // many to one: its link table has an order
  'owned-profile': { attribute: 'user', drafts: false }, // related in both directions, the link table is the user's
  'required-profile': { attribute: 'user', drafts: true }, // required attributes with defaults of each kind; localized
  'customer-loyalty-program': { attribute: 'primaryAccountHolder', drafts: false }, // its link table's name is hashed
};
const uidOf = (name) => `api::${name}.${name}`;
const userUid = 'plugin::users-permissions.user';
const allProfiles = Object.keys(profileTypes).map(uidOf).join(',');

let database;
let strapi;
let site;
let kafka;
let topics;
let ingest;
let worker;

before(async () => {
  database = await newSiteDatabase();
  [site, topics, kafka] = await Promise.all([copySite(), newTopics(), connectKafka()]);
  strapi = await startStrapi(database, { site });
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  [ingest, worker] = await Promise.all([startIngest({ ...topics }), startWorker(workerSettings())]);
});

const workerSettings = (more = {}) => ({ ...topics, DATABASE_URL: database.url, STRAPI_PROFILE_CONTENT_TYPES: allProfiles, ...more });

const send = (body, more = {}) => sendWebhook(ingest.url, webhookSecret, { body, ...more });

async function accepted(body, more) {
  const answer = await send(body, more);
  assert.equal(answer.status, 200, answer.body);
  assert.deepEqual(JSON.parse(answer.body), { received: true });
  return answer;
}

const outcomes = async (type, outcome) => (await worker.metrics()).value('clerk_worker_events_total', { type, outcome });

// Runs the step and waits until the worker has counted this outcome once more.
async function counted(type, outcome, step) {
  const already = await outcomes(type, outcome);
  const result = await step();
  await waitFor(async () => (await outcomes(type, outcome)) > already, { what: `${type} counted as ${outcome}` });
  return result;
}

const createUser = (user) => counted('user.created', 'created', () => accepted(userCreated(user)));

// --- what Strapi's tables and Strapi's API show of a user

// All rows that reference a user's row: each table with a foreign key to up_users, found in PostgreSQL's own
// catalogue, and the row that each link points to.
async function hangingRows(database, userId) {
  const links = await database.rows(`
    select c.conrelid::regclass::text as link, a.attname as user_column, o.confrelid::regclass::text as other, oa.attname as other_column
      from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
      left join pg_constraint o on o.conrelid = c.conrelid and o.contype = 'f' and o.oid <> c.oid
      left join pg_attribute oa on oa.attrelid = o.conrelid and oa.attnum = o.conkey[1]
     where c.contype = 'f' and c.confrelid = 'up_users'::regclass order by 1`);
  const found = {};
  for (const { link, user_column, other, other_column } of links) {
    const target = other ? `left join ${other} o on o.id = l.${other_column}` : '';
    const rows = await database.rows(
      `select to_jsonb(l) - 'id' - '${user_column}' - '${other_column || ''}' as link${other ? ', to_jsonb(o) as row' : ''} from ${link} l ${target} where l.${user_column} = $1 order by l.id`,
      [userId],
    );
    if (rows.length) found[link] = rows;
  }
  return found;
}

async function tableRows(database, clerkId) {
  const [row] = await database.rows('select id, to_jsonb(up_users) as row from up_users where clerk_id = $1', [clerkId]);
  assert.ok(row, `${clerkId} has no row`);
  return { user: row.row, ...(await hangingRows(database, row.id)) };
}

async function apiAnswers(strapi, clerkId) {
  const list = await strapi.call('GET', `users?filters[clerkId][$eq]=${clerkId}&populate=*`);
  assert.equal(list.status, 200);
  assert.equal(list.body.length, 1);
  const answers = { list: list.body, one: (await strapi.call('GET', `users/${list.body[0].id}?populate=*`)).body };
  for (const [name, { attribute, drafts }] of Object.entries(profileTypes)) {
    for (const query of drafts ? ['&status=draft', '&status=published'] : ['']) {
      const filter = `filters[${attribute}][clerkId][$eq]=${clerkId}`;
      const { status, body } = await strapi.call('GET', `${name}s?${filter}&populate=*${query}`);
      assert.equal(status, 200, JSON.stringify(body));
      answers[name + query] = body.data;
      if (body.data.length) answers[`one ${name}${query}`] = (await strapi.call('GET', `${name}s/${body.data[0].documentId}?populate=*${query}`)).body;
    }
  }
  return answers;
}

// The same for any two users: ids, document ids and times are replaced by their kind, so that a missing value or
// another format still differs. The provider names the creator, and is ours on purpose.
function alike(value, name = '') {
  if (Array.isArray(value)) return value.map((one) => alike(one));
  if (value && typeof value === 'object') {
    const entries = Object.entries(value).filter(([key]) => key !== 'provider');
    return Object.fromEntries(entries.map(([key, one]) => [key, alike(one, key)]));
  }
  if (value === null || value === undefined) return value;
  if (name === 'id') return typeof value;
  if (/^document_?id$/i.test(name)) return /^[a-z][a-z0-9]{23}$/.test(value) ? 'a document id' : value;
  if (/(_at|At)$/.test(name)) return String(value).replace(/(\.\d{1,3})?(Z?)$/, '$2').replace(/\d/g, '0');
  return value;
}

// Written by Strapi's document service.
async function byStrapi(strapi, type, create) {
  const answer = await fetch(`${strapi.url}/document-service`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-site-token': strapi.token },
    body: JSON.stringify({ type, create }),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

// The user and profiles that the worker wrote, written by Strapi.
async function userByStrapi(strapi, user, { status = 'draft' } = {}) {
  const email = user.email_addresses[0].email_address;
  const name = `${user.first_name} ${user.last_name}`;
  const [role] = await database.rows("select id from up_roles where type = 'authenticated'");
  const made = await byStrapi(strapi, userUid, {
    data: { username: email, email, confirmed: true, blocked: false, clerkId: user.id, fullName: name, role: role.id },
  });
  for (const [type, { attribute, drafts }] of Object.entries(profileTypes)) {
    await byStrapi(strapi, uidOf(type), { data: { name, [attribute]: made.id }, ...(drafts ? { status } : {}) });
  }
  return made;
}

// Removes a user and everything that references it through Strapi, and checks that Strapi left nothing.
async function removeByStrapi(strapi, clerkId) {
  const rows = await tableRows(database, clerkId);
  for (const [name, { attribute, drafts }] of Object.entries(profileTypes)) {
    const filter = `filters[${attribute}][clerkId][$eq]=${clerkId}${drafts ? '&status=draft' : ''}`;
    for (const { documentId } of (await strapi.call('GET', `${name}s?${filter}`)).body.data) {
      assert.equal((await strapi.call('DELETE', `${name}s/${documentId}`)).status, 204);
    }
  }
  assert.equal((await strapi.call('DELETE', `users/${rows.user.id}`)).status, 200);
  await nothingLeftOf(rows);
}

async function nothingLeftOf(rows) {
  const { user, ...links } = rows;
  assert.deepEqual(await hangingRows(database, user.id), {});
  assert.deepEqual(await database.rows('select 1 from up_users where id = $1', [user.id]), []);
  for (const [link, hanging] of Object.entries(links)) {
    if (link === 'up_users_role_lnk') continue; // the role stays
    const table = await tableBehind(link);
    for (const { row } of hanging) {
      assert.deepEqual(await database.rows(`select id from ${table} where document_id = $1`, [row.document_id]), [], `${table} keeps a row`);
    }
  }
}

const tableBehind = async (link) =>
  (await database.rows(
    "select confrelid::regclass::text as name from pg_constraint where contype = 'f' and conrelid = $1::regclass and confrelid <> 'up_users'::regclass", [link]))[0].name;

// --- the tests

test('pipeline: a signed user.created is 200 and becomes a user with role and profiles [I1, I4]', async () => {
  const user = clerkUser({ username: 'ada', email: 'Ada.Lovelace@Example.com', createdAt: Date.now() });
  await createUser(user);

  const rows = await tableRows(database, user.id);
  assert.equal(rows.user.email, 'ada.lovelace@example.com');
  assert.equal(rows.user.username, 'ada');
  assert.equal(rows.user.full_name, 'Ada Lovelace');
  assert.equal(rows.user.provider, 'clerk');
  assert.equal(Date.parse(`${rows.user.created_at}Z`), user.created_at);
  const { user: _, up_users_role_lnk: roles, ...profiles } = rows;
  assert.deepEqual(roles.map(({ row }) => row.type), ['authenticated']);
  assert.equal(Object.keys(profiles).length, Object.keys(profileTypes).length);
  for (const [link, linked] of Object.entries(profiles)) assert.deepEqual(linked.map(({ row }) => row.name), ['Ada Lovelace'], link);
  assert.equal((await ingest.metrics()).value('clerk_ingest_webhooks_total', { type: 'user.created', outcome: 'accepted' }), 1);
});

test('pipeline: a Kafka record holds the signed body, and names user, event and source', async () => {
  const user = clerkUser({ first_name: 'Zoë', last_name: '\u2028' });
  const body = JSON.stringify(userCreated(user), null, 1).replace('Zoë', 'Zo\\u00eb');
  const { id } = await counted('user.created', 'created', () => accepted(body));
  const records = await kafka.follow(topics.TOPIC_USER_EVENTS);
  const record = await waitFor(() => records.find((one) => one.headers.ce_id === id), { what: 'the record' });
  assert.equal(record.value, body);
  assert.equal(record.key, user.id);
  assert.deepEqual(
    [record.headers.ce_specversion, record.headers.ce_type, record.headers.ce_subject, record.headers.ce_source, record.headers['content-type']],
    ['1.0', 'clerk.user.created', user.id, '/clerk/ins_2endtoendtests', 'application/json'],
  );
});

test("pipeline: our rows equal Strapi's own for the same user, in every column [I10]", async () => {
  const user = clerkUser();
  await createUser(user);
  const ours = { tables: await tableRows(database, user.id), api: await apiAnswers(strapi, user.id) };
  await removeByStrapi(strapi, user.id);

  await userByStrapi(strapi, user);
  const theirs = { tables: await tableRows(database, user.id), api: await apiAnswers(strapi, user.id) };
  assert.deepEqual(alike(ours.tables), alike(theirs.tables));
  assert.deepEqual(alike(ours.api), alike(theirs.api));
  // The comparison is valid only if it saw profiles.
  assert.equal(Object.keys(ours.tables).length, 2 + Object.keys(profileTypes).length);
  assert.equal(ours.api.one.role.type, 'authenticated');
  assert.equal(ours.api.one.m2oProfiles.length, 1);
  assert.deepEqual([ours.api['member-profile&status=draft'].length, ours.api['member-profile&status=published'].length], [1, 0]);
  assert.equal(ours.api['loc-profile&status=draft'][0].locale, 'en');
  assert.deepEqual(ours.api['user-profile'].map(({ plan, credits, newsletter }) => ({ plan, credits, newsletter })), [{ plan: 'free', credits: 7, newsletter: true }]);
  await removeByStrapi(strapi, user.id);
});

test('pipeline: user.updated writes what differs, keeps ids, creation time and role', async () => {
  const user = clerkUser();
  await createUser(user);
  const earlier = await tableRows(database, user.id);
  const later = { ...user, first_name: 'Augusta', last_name: 'King', username: 'countess', updated_at: user.updated_at + 1 };
  await counted('user.updated', 'updated', () => accepted(userUpdated(later)));

  const now = await tableRows(database, user.id);
  assert.deepEqual(now.user, { ...earlier.user, username: 'countess', full_name: 'Augusta King', updated_at: now.user.updated_at });
  assert.ok(now.user.updated_at > earlier.user.updated_at);
  for (const [link, before] of Object.entries(earlier)) {
    if (link === 'user') continue;
    const renamed = before.map((one) => (link === 'up_users_role_lnk' ? one : { ...one, row: { ...one.row, name: 'Augusta King', updated_at: now[link][0].row.updated_at } }));
    assert.deepEqual(now[link], renamed, link);
  }
});

test('pipeline: a repeated and a late older webhook are 200 and change no row [I2]', async () => {
  const user = clerkUser();
  const id = 'msg_sent3times';
  await counted('user.created', 'created', () => accepted(userCreated(user), { id }));
  const newer = { ...user, first_name: 'Augusta', updated_at: user.updated_at + 2 };
  await counted('user.updated', 'updated', () => accepted(userUpdated(newer), { id: 'msg_newer' }));
  const physical = () => database.rows('select xmin, ctid, * from up_users where clerk_id = $1', [user.id]);
  const rows = await physical();

  await counted('user.updated', 'duplicate', () => accepted(userUpdated(newer), { id: 'msg_newer' }));
  await counted('user.created', 'stale', () => accepted(userCreated(user), { id }));
  await counted('user.updated', 'stale', () => accepted(userUpdated({ ...user, first_name: 'Old', updated_at: user.updated_at + 1 })));
  assert.deepEqual(await physical(), rows);
});

test('pipeline: user.deleted removes user, role link and profiles for good [I3]', async () => {
  const user = clerkUser();
  await createUser(user);
  const rows = await tableRows(database, user.id);
  await counted('user.deleted', 'deleted', () => accepted(userDeleted(user.id)));
  await nothingLeftOf(rows);

  await counted('user.updated', 'stale', () => accepted(userUpdated({ ...user, updated_at: user.updated_at + 60_000 })));
  await counted('user.created', 'stale', () => accepted(userCreated({ ...user, updated_at: user.updated_at + 60_000 })));
  await counted('user.deleted', 'stale', () => accepted(userDeleted(user.id)));
  await nothingLeftOf(rows);
});

test("pipeline: the legacy plugin's webhook route works; other event types are not published", async () => {
  const user = clerkUser();
  await counted('user.created', 'created', () => accepted(userCreated(user), { route: '/api/clerk-auth/webhook' }));
  const length = await kafka.length(topics.TOPIC_USER_EVENTS);
  await accepted({ type: 'session.created', object: 'event', data: { id: 'sess_1', user_id: user.id }, timestamp: Date.now(), instance_id: 'ins_2endtoendtests' });
  assert.equal(await kafka.length(topics.TOPIC_USER_EVENTS), length);
  assert.equal((await ingest.metrics()).value('clerk_ingest_webhooks_total', { outcome: 'ignored' }), 1);
});

test("pipeline: a site's edit of a profile stays, and Strapi can edit our rows [I10]", async () => {
  const user = clerkUser();
  await createUser(user);
  const { one, 'user-profile': profiles } = await apiAnswers(strapi, user.id);
  const edited = await strapi.call('PUT', `user-profiles/${profiles[0].documentId}`, { body: { data: { name: 'Countess', credits: 100, plan: 'pro' } } });
  assert.equal(edited.status, 200);
  assert.equal((await strapi.call('PUT', `users/${one.id}`, { body: { confirmed: false } })).status, 200);

  await counted('user.updated', 'updated', () => accepted(userUpdated({ ...user, first_name: 'Augusta', updated_at: user.updated_at + 1 })));
  const now = await apiAnswers(strapi, user.id);
  assert.equal(now.one.fullName, 'Augusta Lovelace');
  assert.equal(now.one.confirmed, false);
  const { name, credits, plan } = now['user-profile'][0];
  assert.deepEqual({ name, credits, plan }, { name: 'Countess', credits: 100, plan: 'pro' });
  assert.equal(now['bidi-profile'][0].name, 'Augusta Lovelace');
});

test('pipeline: a running worker follows an added and a removed profile attribute [I9, I10]', async () => {
  const resident = clerkUser();
  await createUser(resident);
  const everything = async () => ({ tables: await tableRows(database, resident.id), api: await apiAnswers(strapi, resident.id) });
  const earlier = await everything();
  const file = path.join(site, 'src/api/user-profile/content-types/user-profile/schema.json');
  const original = readFileSync(file, 'utf8');
  const changed = JSON.parse(original);
  changed.attributes.tierLevel = { type: 'string', default: 'bronze' };
  const rebootWith = async (schema) => {
    await strapi.stop();
    writeFileSync(file, schema);
    strapi = await startStrapi(database, { folder: strapi.folder, site });
  };

  await rebootWith(JSON.stringify(changed));
  // Every user sent meanwhile must arrive; within five seconds they must have the new default.
  await waitFor(
    async () => {
      const user = clerkUser();
      await createUser(user);
      const { 'user-profile': profiles } = await apiAnswers(strapi, user.id);
      assert.equal(profiles.length, 1);
      return profiles[0].tierLevel === 'bronze';
    },
    { what: 'a new user with the new default', deadlineMs: 8_000, everyMs: 200 },
  );

  await rebootWith(original);
  assert.deepEqual(await everything(), earlier);
  const user = clerkUser();
  await createUser(user);
  assert.equal((await apiAnswers(strapi, user.id))['user-profile'][0].plan, 'free');
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  assert.equal((await worker.metrics()).value('clerk_worker_paused'), 0);
});

test('PROFILE_STATUS=published: writes draft and published under one document id, like Strapi', async () => {
  assert.equal((await worker.stop()).code, 0);
  worker = await startWorker(workerSettings({ PROFILE_STATUS: 'published' }));
  const user = clerkUser();
  await createUser(user);
  const ours = { tables: await tableRows(database, user.id), api: await apiAnswers(strapi, user.id) };
  assert.equal(ours.tables.member_profiles_user_lnk.length, 2);
  assert.equal(new Set(ours.tables.member_profiles_user_lnk.map(({ row }) => row.document_id)).size, 1);
  await removeByStrapi(strapi, user.id);

  await userByStrapi(strapi, user, { status: 'published' });
  const theirs = { tables: await tableRows(database, user.id), api: await apiAnswers(strapi, user.id) };
  assert.deepEqual(alike(ours.tables), alike(theirs.tables));
  assert.deepEqual(alike(ours.api), alike(theirs.api));
});

test('STRAPI_TIMEZONE: Strapi reads the times that Clerk sent, summer and winter', async () => {
  await Promise.all([strapi.stop(), worker.stop()]);
  database = await newSiteDatabase();
  topics = { ...(await newTopics()) };
  const zone = 'America/New_York';
  strapi = await startStrapi(database, { zone });
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  await ingest.stop();
  [ingest, worker] = await Promise.all([startIngest({ ...topics }), startWorker(workerSettings({ STRAPI_TIMEZONE: zone }))]);

  for (const moment of ['2026-07-04T03:30:15.123Z', '2026-01-15T23:59:59.999Z']) {
    const user = clerkUser({ created_at: Date.parse(moment) });
    await createUser(user);
    await userByStrapi(strapi, clerkUser()); // the current time, by Strapi
    const [theirs] = await database.rows('select updated_at from up_users where provider is null or provider <> $1 order by id desc limit 1', ['clerk']);
    const [ours] = await database.rows('select created_at, updated_at, published_at from up_users where clerk_id = $1', [user.id]);
    for (const time of [ours.updated_at, ours.published_at]) {
      assert.ok(Math.abs(Date.parse(`${time}Z`) - Date.parse(`${theirs.updated_at}Z`)) < 10_000, `${time} and Strapi's ${theirs.updated_at}`);
    }
    const { one, 'user-profile': profiles } = await apiAnswers(strapi, user.id);
    assert.equal(one.createdAt, moment);
    assert.equal(profiles[0].createdAt, moment);
    assert.ok(Math.abs(Date.parse(one.updatedAt) - Date.now()) < 10_000, one.updatedAt);
  }
});
