// needs: database, kafka, strapi
// What Strapi shows of a Clerk user, by its REST API, its document service and its tables: every shape a user can
// have, names that follow, profiles of every kind, and editors at work on the same rows.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventRecord } from './records.mjs';
import {
  allProfiles, assertSoundProfiles, documents, profileTypes, rest, sameName, shownNames, shownProfiles, shownUser, uidOf,
} from './strapi-view.mjs';
import { clerkId, clerkUser, command, newSiteDatabase, newTopics, startStrapi, userCreated, userDeleted, userUpdated, waitFor } from './support.mjs';
import { apply, database, kafka, outcomes, partition, setUp, startAgain, topics, total, worker } from './worker-stage.mjs';

let strapi;
before(async () => {
  await setUp(undefined, { profileTypes: allProfiles }); // newSiteDatabase(), newTopics() and startWorker() of support.mjs
  strapi = await startStrapi(database);
  await documents(strapi, 'plugin::i18n.locale', 'create', { data: { code: 'fr', name: 'French (fr)' } });
});

const send = (...envelopes) => apply(...envelopes.map((one) => eventRecord(one)));
const later = (user, change = {}, ms = 1) => ({ ...user, ...change, updated_at: user.updated_at + ms });
async function created(fields) {
  const user = clerkUser(fields);
  await send(userCreated(user));
  return user;
}
async function updated(user, change) {
  const next = later(user, change);
  await send(userUpdated(next));
  return next;
}
const count = async (sql, values) => (await database.rows(`select count(*)::int as n from ${sql}`, values))[0].n;

const address = (id, email, status) => ({ id, object: 'email_address', email_address: email, verification: status ? { status, strategy: 'email_code' } : null, linked_to: [] });
const generated = /^[A-Z][a-z]+[A-Z][a-z]+[1-9]\d{3}$/;

// Each: [what, the Clerk user, what Strapi must show]. `name` is the name of all profiles; if left out, the full name.
function shapes() {
  const shape = (what, fields, expected) => [what, clerkUser(fields), expected];
  const three = (user) => [address('idn_1', `One.${user}@Example.COM`, 'unverified'), address('idn_2', `two.${user}@example.com`, 'verified'), address('idn_3', `three.${user}@example.com`, 'verified')];
  const [a, b, c, d, e] = Array.from({ length: 5 }, () => clerkId().slice(-8));
  const long = '👩'.repeat(300);
  return [
    shape('the primary address is the third', { email_addresses: three(a), primary_email_address_id: 'idn_3' }, { email: `three.${a}@example.com` }),
    shape('the primary address is unverified', { email_addresses: three(b), primary_email_address_id: 'idn_1' }, { email: `one.${b}@example.com` }),
    shape('the primary address is unknown', { email_addresses: three(c), primary_email_address_id: 'idn_9' }, { email: `two.${c}@example.com` }),
    shape('no primary address', { email_addresses: three(d), primary_email_address_id: null }, { email: `two.${d}@example.com` }),
    shape('no primary address and none verified', { email_addresses: [address('idn_1', `${e}@example.com`, null)], primary_email_address_id: null }, { email: `${e}@example.com` }),
    shape('a telephone only', { email: null, phone_numbers: [{ id: 'idn_p', object: 'phone_number', phone_number: '+15555550100', verification: { status: 'verified' } }] }, { email: 'placeholder', username: 'id' }),
    shape('a wallet only', { email: null, first_name: null, last_name: null, web3_wallets: [{ id: 'idn_w', object: 'web3_wallet', web3_wallet: '0x0', verification: { status: 'verified' } }] }, { email: 'placeholder', username: 'id', fullName: null, name: generated }),
    shape('a username', { username: `Ada_${a}` }, { username: `Ada_${a}` }),
    shape('a username and no address', { email: null, username: `ada-${b}` }, { email: 'placeholder', username: `ada-${b}` }),
    shape('the last name only', { first_name: null, last_name: ' King ' }, { fullName: 'King' }),
    shape('names of blanks', { first_name: '  ', last_name: '' }, { fullName: null, name: generated }),
    shape('emoji, with joiners', { first_name: '👩‍👩‍👧', last_name: '🏴‍☠️' }, { fullName: '👩‍👩‍👧 🏴‍☠️' }),
    shape('right to left', { first_name: 'عائشة', last_name: '\u202eabc' }, { fullName: 'عائشة \u202eabc' }),
    shape('combining characters stay apart', { first_name: 'e\u0301', last_name: '\u00e9' }, { fullName: 'e\u0301 \u00e9' }),
    shape('U+0000', { first_name: 'nul\u0000inside', last_name: null }, { fullName: 'nul\ufffdinside' }),
    shape('a name that does not fit', { first_name: long, last_name: null }, { fullName: '👩'.repeat(255) }),
    shape('banned', { banned: true }, { blocked: true }),
    shape('deprovisioned', { deprovisioned: true }, { blocked: true }),
    shape('locked', { locked: true }, { blocked: false }),
    shape('times in seconds', { created_at: 1_700_000_000, updated_at: 1_750_000_000 }, { createdAt: '2023-11-14T22:13:20.000Z' }),
    shape('times in milliseconds', { created_at: 1_700_000_000_123 }, { createdAt: '2023-11-14T22:13:20.123Z' }),
  ];
}

test('fidelity: REST, documents and tables show users as mapped [E1, E2, E4, E6, E12, I2]', async () => {
  const all = shapes();
  await send(...all.map(([, user]) => userCreated(user)));
  for (const [what, user, expected] of all) {
    const email = { placeholder: `${user.id}@clerk.user`, undefined: user.email_addresses[0]?.email_address }[expected.email] ?? expected.email;
    const full = { email, username: email, fullName: 'Ada Lovelace', blocked: false, ...expected };
    full.email = email;
    if (expected.username === 'id') full.username = user.id;
    const shown = await shownUser(strapi, user.id);
    for (const key of ['email', 'username', 'fullName', 'blocked']) assert.equal(shown[key], full[key], `${what}: ${key}`);
    if (expected.createdAt) assert.equal(shown.createdAt, expected.createdAt, what);
    assert.equal(shown.role.type, 'authenticated', what);
    const [row] = await database.rows('select u.email, u.username, u.full_name, u.blocked, s.blocked_by_us from up_users u join clerk_sync.user_state s using (clerk_id) where clerk_id = $1', [user.id]);
    assert.deepEqual(row, { email: full.email, username: full.username, full_name: full.fullName, blocked: full.blocked, blocked_by_us: full.blocked }, what);
    const [shownProfile] = await shownProfiles(strapi, user.id, 'user-profile');
    if (full.name === generated) assert.match(shownProfile.name, generated, what);
    else assert.equal(shownProfile.name, full.fullName, what);
  }
  assert.equal(await total('clerk_worker_truncated_total', { field: 'full_name' }), 1);
  assert.equal(await outcomes('parked'), 0);
});

test('fidelity: times in seconds and milliseconds are one time, the newer wins [D9, I2]', async () => {
  const user = await created({ created_at: 1_750_000_000_000, updated_at: 1_750_000_001_000 });
  await send(userUpdated({ ...user, first_name: 'Older', updated_at: 1_750_000_000 }, 1_750_000_000)); // in seconds, one second earlier
  assert.equal((await shownUser(strapi, user.id)).fullName, 'Ada Lovelace');
  await send(userUpdated({ ...user, first_name: 'Newer', updated_at: 1_750_000_002 }, 1_750_000_002));
  assert.equal((await shownUser(strapi, user.id)).fullName, 'Newer Lovelace');
});

test('profiles: every configured type gives one profile as Strapi shows it [I4, I10]', async () => {
  const user = await created();
  assert.deepEqual(await shownNames(strapi, user.id), sameName('Ada Lovelace'));
  for (const type of ['member-profile', 'loc-profile', 'required-profile']) assert.deepEqual(await shownProfiles(strapi, user.id, type, { status: 'published' }), [], type);
  const [required] = await shownProfiles(strapi, user.id, 'required-profile');
  const { label, level, points, visits, discount, weight, active, settings, since, opensAt, contact, locale } = required;
  assert.deepEqual(
    { label, level, points, visits, discount, weight, active, settings, since, opensAt, contact, locale },
    { label: 'it\'s "new" {now}', level: 'basic', points: 0, visits: '9007199254740993', discount: 2.5, weight: 0.1, active: false, settings: { theme: 'dark', tags: ['a', 'b'] }, since: '2020-02-29', opensAt: '08:30:00', contact: 'nobody@example.com', locale: 'en' },
  );
  const both = await rest(strapi, 'GET', `users/${(await shownUser(strapi, user.id)).id}?populate=*`);
  assert.deepEqual([both.bidiProfile.name, both.ownedProfile.name, both.m2oProfiles.map(({ name }) => name)], ['Ada Lovelace', 'Ada Lovelace', ['Ada Lovelace']]);
  await documents(strapi, uidOf('required-profile'), 'publish', { documentId: required.documentId }); // every required field is set
  assert.equal((await shownProfiles(strapi, user.id, 'required-profile', { status: 'published' })).length, 1);
});

test('profiles: a profile is renamed with its user until it is edited, row by row [I10]', async () => {
  let user = await created();
  const [member] = await shownProfiles(strapi, user.id, 'member-profile');
  await documents(strapi, uidOf('member-profile'), 'publish', { documentId: member.documentId });
  const [localized] = await shownProfiles(strapi, user.id, 'loc-profile');
  await documents(strapi, uidOf('loc-profile'), 'update', { documentId: localized.documentId, locale: 'fr', data: { name: 'Comtesse', user: (await shownUser(strapi, user.id)).id } });
  user = await updated(user, { first_name: 'Augusta' });
  assert.deepEqual(await shownNames(strapi, user.id), sameName('Augusta Lovelace'));
  assert.equal((await shownProfiles(strapi, user.id, 'member-profile', { status: 'published' }))[0].name, 'Augusta Lovelace');
  assert.equal((await shownProfiles(strapi, user.id, 'loc-profile', { locale: 'fr' }))[0].name, 'Comtesse');

  await documents(strapi, uidOf('member-profile'), 'update', { documentId: member.documentId, data: { name: 'Countess' } }); // the draft only
  const [m2o] = await shownProfiles(strapi, user.id, 'm2o-profile');
  await rest(strapi, 'PUT', `m2o-profiles/${m2o.documentId}`, { data: { name: 'My own' } });
  user = await updated(user, { last_name: 'King' });
  assert.deepEqual(await shownNames(strapi, user.id), { ...sameName('Augusta King'), 'member-profile': 'Countess', 'm2o-profile': 'My own' });
  assert.equal((await shownProfiles(strapi, user.id, 'member-profile', { status: 'published' }))[0].name, 'Augusta King');

  user = await updated(user, { first_name: null, last_name: null });
  assert.equal((await shownUser(strapi, user.id)).fullName, null);
  const friendly = (await shownNames(strapi, user.id))['user-profile'];
  assert.match(friendly, generated);
  assert.deepEqual(await shownNames(strapi, user.id), { ...sameName(friendly), 'member-profile': 'Countess', 'm2o-profile': 'My own' });
  user = await updated(user, { first_name: 'Ada' });
  assert.deepEqual(await shownNames(strapi, user.id), { ...sameName('Ada'), 'member-profile': 'Countess', 'm2o-profile': 'My own' });
  await assertSoundProfiles(database);
});

test('fidelity: a removed username becomes the e-mail, a removed address the placeholder [E6]', async () => {
  let user = await created({ username: `u${clerkId().slice(-8)}` });
  const email = user.email_addresses[0].email_address;
  user = await updated(user, { username: null });
  assert.equal((await shownUser(strapi, user.id)).username, email);
  user = await updated(user, { email_addresses: [], primary_email_address_id: null });
  const shown = await shownUser(strapi, user.id);
  assert.deepEqual([shown.email, shown.username], [`${user.id}@clerk.user`, user.id]);
});

// --- editors and administrators on the same rows

test('profiles: a profile that an editor unlinked or deleted is created again [I4]', async () => {
  const [other, ...users] = await Promise.all(Array.from({ length: 4 }, () => clerkUser()));
  await send(...[other, ...users].map((user) => userCreated(user)));
  const otherId = (await shownUser(strapi, other.id)).id;
  const documentOf = async (user, type) => {
    const shown = await shownProfiles(strapi, user.id, type);
    assert.equal(shown.length, 1, `${shown.length} profiles of ${type}`);
    return shown[0].documentId;
  };
  for (const type of Object.keys(profileTypes)) {
    const own = await Promise.all(users.map((user) => documentOf(user, type)));
    const uid = uidOf(type);
    await documents(strapi, uid, 'update', { documentId: own[0], data: { user: null } });
    if (type === 'm2o-profile') await documents(strapi, uid, 'update', { documentId: own[1], data: { user: otherId } });
    await documents(strapi, uid, 'delete', { documentId: own[2] });
    assert.deepEqual(await shownProfiles(strapi, users[0].id, type), []);
    await send(...users.map((user) => userUpdated(later(user, {}, own.length + 1 + Object.keys(profileTypes).indexOf(type)))));
    const now = await Promise.all(users.map((user) => documentOf(user, type)));
    assert.equal(now[0], own[0], `${type}: the same profile as before`);
    if (type === 'm2o-profile') {
      assert.notEqual(now[1], own[1], 'the other user keeps the profile');
      assert.equal((await shownProfiles(strapi, other.id, type)).length, 2);
    } else {
      assert.equal(now[1], own[1]);
    }
  }
  for (const user of users) assert.deepEqual(await shownNames(strapi, user.id), sameName('Ada Lovelace'));
  await assertSoundProfiles(database);
  assert.equal(await outcomes('parked'), 0);
});

test('rows: a user deleted in Strapi returns with profiles at the next event [E9, I2]', async () => {
  const user = clerkUser({ username: `h${clerkId().slice(-8)}` });
  const record = eventRecord(userCreated(user)); // a copy has the same event id: another one may be newer
  await apply(record);
  const before = await shownUser(strapi, user.id);
  const [profile] = await shownProfiles(strapi, user.id, 'user-profile');
  await rest(strapi, 'DELETE', `users/${before.id}`);
  assert.equal(await shownUser(strapi, user.id), null);
  await apply(record); // even this copy
  const again = await shownUser(strapi, user.id);
  assert.deepEqual([again.documentId, again.email, again.username], [before.documentId, before.email, before.username]);
  assert.equal((await shownProfiles(strapi, user.id, 'user-profile'))[0].documentId, profile.documentId);
  assert.deepEqual(await shownNames(strapi, user.id), sameName('Ada Lovelace'));

  await rest(strapi, 'PUT', `users/${again.id}`, { email: `by-hand-${again.id}@example.com`, username: `by-hand-${again.id}`, fullName: 'By Hand', confirmed: false, role: 2 });
  await apply(record); // no change: nothing is written
  assert.equal((await shownUser(strapi, user.id)).fullName, 'By Hand');
  await updated(user);
  const restored = await shownUser(strapi, user.id);
  assert.deepEqual([restored.email, restored.username, restored.fullName, restored.confirmed, restored.role.type], [before.email, before.username, 'Ada Lovelace', false, 'public']);
  await assertSoundProfiles(database);
});

// --- deletion

// All rows of the site except those of this user: by table, as text.
async function everythingBut(userIds, documentIds) {
  const tables = (await database.rows("select table_name from information_schema.tables where table_schema = 'public' and table_name not like 'strapi_%' order by 1")).map((row) => row.table_name);
  const rows = {};
  for (const table of tables) {
    rows[table] = (await database.rows(`select to_jsonb(t) as row from ${table} t order by t::text`))
      .map(({ row }) => row)
      .filter((row) => !userIds.includes(row.user_id) && !(table === 'up_users' && userIds.includes(row.id)) && !documentIds.includes(row.document_id))
      .map((row) => JSON.stringify(row));
  }
  return rows;
}

// A user of a site after a year: published profiles, two locales, articles, and another user who reads them.
async function residentWithContent() {
  const user = await created();
  const { id } = await shownUser(strapi, user.id);
  const profileDocuments = [];
  for (const type of Object.keys(profileTypes)) {
    const [{ documentId }] = await shownProfiles(strapi, user.id, type);
    profileDocuments.push(documentId);
    if (!profileTypes[type].drafts) continue;
    await documents(strapi, uidOf(type), 'publish', { documentId });
    if (type === 'member-profile') continue;
    await documents(strapi, uidOf(type), 'update', { documentId, locale: 'fr', data: { name: 'Comtesse' } }); // without the relation
    await documents(strapi, uidOf(type), 'publish', { documentId, locale: 'fr' });
  }
  const [profile] = await shownProfiles(strapi, user.id, 'user-profile');
  const article = await documents(strapi, uidOf('article'), 'create', { data: { title: 'On engines', author: id, readers: [id], owner: profile.id }, status: 'published' });
  return { user, id, profileDocuments, article };
}

test('DELETE_POLICY=delete: removes the user with all profile rows, and nothing else [I3]', async () => {
  const { user: other } = await residentWithContent();
  const { user, id, profileDocuments, article } = await residentWithContent();
  const tablesOf = (type) => profileTypes[type].table;
  assert.equal(await count(`${tablesOf('loc-profile')} where document_id = any($1)`, [profileDocuments]), 4); // draft and published, en and fr
  const links = ['articles_author_lnk', 'articles_readers_lnk', 'articles_owner_lnk'];
  const linkCounts = await Promise.all(links.map((link) => count(link)));
  const before = await everythingBut([id], profileDocuments);
  const shownOther = await shownUser(strapi, other.id);

  await send(userDeleted(user.id));
  assert.equal(await shownUser(strapi, user.id), null);
  for (const type of Object.keys(profileTypes)) {
    assert.equal(await count(`${tablesOf(type)} where document_id = any($1)`, [profileDocuments]), 0, type);
    const [link] = profileTypes[type].link;
    assert.equal(await count(`${link} where user_id = $1`, [id]), 0, link);
  }
  const after = await everythingBut([id], profileDocuments);
  for (const link of links) {
    delete before[link];
    delete after[link];
  }
  assert.deepEqual(after, before);
  // A draft and a published row of one article, each linked once: that many links fewer, and no more.
  assert.deepEqual(await Promise.all(links.map((link) => count(link))), linkCounts.map((n) => n - 2));
  assert.deepEqual(await shownUser(strapi, other.id), shownOther);
  for (const status of ['draft', 'published']) {
    const left = await documents(strapi, uidOf('article'), 'findOne', { documentId: article.documentId, status, populate: ['author', 'readers', 'owner'] });
    assert.deepEqual([left.title, left.author, left.readers, left.owner], ['On engines', null, [], null]);
  }
  assert.equal((await rest(strapi, 'GET', `articles/${article.documentId}?populate=*`)).data.title, 'On engines');
});

test("conflict: a new user takes the address before the old user's deletion arrives [E5, I2]", async () => {
  const email = `again.${clerkId().slice(-8)}@example.com`;
  const old = await created({ email, updatedAt: Date.now() - 10_000 });
  const fresh = await created({ email });
  assert.ok(await shownUser(strapi, fresh.id));
  await send(userDeleted(old.id));
  assert.equal(await shownUser(strapi, old.id), null);
  await updated(fresh);
  const shown = await shownUser(strapi, fresh.id);
  assert.deepEqual([shown.email, shown.username], [email, email]);
  assert.deepEqual(await shownNames(strapi, fresh.id), sameName('Ada Lovelace'));
});

test('DELETE_POLICY=block: Strapi shows a blocked user without personal data, articles stay [I3]', async () => {
  assert.equal((await worker.stop()).code, 0);
  await startAgain({ DELETE_POLICY: 'block' });
  const { user, id, profileDocuments, article } = await residentWithContent();
  await send(userDeleted(user.id), userUpdated(later(user, { first_name: 'Back' }, 60_000)), userCreated(user));
  const shown = await shownUser(strapi, user.id);
  assert.deepEqual(
    [shown.id, shown.email, shown.username, shown.fullName, shown.blocked, shown.provider],
    [id, `${user.id}@clerk.user`, user.id, null, true, 'clerk-deleted'],
  );
  for (const type of Object.keys(profileTypes)) {
    const rows = await database.rows(`select name from ${profileTypes[type].table} where document_id = any($1)`, [profileDocuments]);
    assert.ok(rows.length >= 1 && rows.every(({ name }) => name === null), `${type}: ${JSON.stringify(rows)}`);
  }
  const left = await documents(strapi, uidOf('article'), 'findOne', { documentId: article.documentId, populate: ['author'] });
  assert.deepEqual([left.title, left.author.id], ['On engines', id]);
  const [{ email, username, full_name: name, tombstone }] = await database.rows('select email, username, full_name, tombstone from clerk_sync.user_state where clerk_id = $1', [user.id]);
  assert.deepEqual({ email, username, name, tombstone }, { email: null, username: null, name: null, tombstone: true });
});

// --- another mapping, another site

test("mapping: a changed mapping rewrites a user's rows with any next event [I2]", async () => {
  const users = Array.from({ length: 3 }, () => clerkUser({ email: null }));
  const ids = users.map(({ id }) => id);
  await worker.stop();
  await startAgain({ STRAPI_PROFILE_CONTENT_TYPES: uidOf('user-profile') });
  await send(...users.map((user) => userCreated(user)));
  const versions = () => database.rows('select clerk_id, updated_at_ms, event_ms, event_id from clerk_sync.user_state where clerk_id = any($1) order by 1', [ids]);
  const emails = async () => (await database.rows('select email from up_users where clerk_id = any($1) order by array_position($1, clerk_id::text)', [ids])).map(({ email }) => email);
  const before = await versions();
  assert.deepEqual(await shownProfiles(strapi, users[0].id, 'loc-profile'), []);
  await worker.stop();
  await startAgain({ PLACEHOLDER_EMAIL_DOMAIN: 'nowhere.example.com' });
  await created(); // the worker works, and rewrites no user without an event
  assert.deepEqual(await emails(), ids.map((id) => `${id}@clerk.user`));

  const [copied, aged, provisioned] = users;
  const seen = { type: 'user.seen', timestamp: provisioned.updated_at, instance_id: userCreated(provisioned).instance_id, data: { ...provisioned, first_name: 'Token' } };
  await send(userCreated(copied, copied.updated_at - 1), userUpdated(later(aged, { first_name: 'Old' }, -5_000)));
  await kafka.appendAll(topics.TOPIC_PROVISIONING, partition, [eventRecord(seen)]);
  await waitFor(async () => (await outcomes('updated')) === 3, { what: 'three users written again' });
  for (const user of users) {
    assert.equal((await shownUser(strapi, user.id)).email, `${user.id}@nowhere.example.com`);
    assert.deepEqual(await shownNames(strapi, user.id), sameName('Ada Lovelace'));
  }
  assert.deepEqual(await versions(), before); // an event without a change keeps the version
});

test('profiles: a type that cannot be a profile is named at start with what it lacks', async () => {
  const own = await newTopics();
  const errorOf = async (types) => {
    const { code, stdout } = await command('clerk-worker', ['check'], { ...own, DATABASE_URL: database.url, STRAPI_PROFILE_CONTENT_TYPES: types });
    assert.equal(code, 1);
    return stdout.split('\n').find((line) => line.startsWith("FAULT  Strapi's tables"));
  };
  assert.match(await errorOf('article'), /api::article\.article has no text attribute 'name'/);
  assert.match(await errorOf('plugin::i18n.locale'), /plugin::i18n\.locale has no relation to plugin::users-permissions\.user/);
  assert.match(await errorOf('plugin::users-permissions.role'), /oneToMany relation; a profile needs oneToOne or manyToOne/);
  assert.match(await errorOf('user-profile,nobody'), /STRAPI_PROFILE_CONTENT_TYPES names 'nobody'/);
});
