// needs: database, kafka, strapi
// What Clerk's users may contain, and which rows are ours: every text arrives in Strapi's rows unchanged, cut or
// replaced, never executed; what we do not own stays. Catalogue rows E1 to E12.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { eventRecord } from './records.mjs';
import { clerkId, clerkUser, newTopics, readiness, repository, userCreated, userDeleted, userUpdated, waitFor } from './support.mjs';
import {
  applied, apply, assertParked, database, kafka, outcomes, partition, profiles, read, record, setUp, total, withText, worker, workerOn,
} from './worker-stage.mjs';

before(setUp); // newSiteDatabase(), newTopics() and startWorker() of support.mjs

test('contents: U+0000 becomes U+FFFD, invalid Unicode is dead-lettered [E1, E2]', async () => {
  const names = ['nul\u0000inside', '\u202Eright to left', '👩\u200d👧', 'e\u0301', '\u00e9', '\u2028', '𝕬'];
  for (const name of names) {
    const user = clerkUser({ first_name: name, last_name: null, username: `u-${name}`, public_metadata: { note: 'a\u0000b' } });
    const { user: row, profiles: linked } = await applied(user, userCreated(user));
    const written = name.replace('\u0000', '\ufffd');
    assert.deepEqual([row.full_name, row.username, linked.user_profile[0].name], [written, `u-${written}`, written]);
  }
  // Counted for each column that the one name with U+0000 went to; metadata goes to no column and is not counted.
  const replaced = (field) => total('clerk_worker_replaced_total', { field });
  assert.deepEqual([await replaced('full_name'), await replaced('username'), await replaced('email')], [1, 1, 0]);
  const everywhere = clerkUser({ first_name: '\u0000', last_name: 'x\u0000', email: `nul\u0000.${clerkId()}@example.com` });
  const { user: nul } = await applied(everywhere, userCreated(everywhere));
  const email = everywhere.email_addresses[0].email_address.replace('\u0000', '\ufffd').toLowerCase();
  assert.deepEqual([nul.full_name, nul.email, nul.username], ['\ufffd x\ufffd', email, email]);
  await applied(everywhere, userCreated(everywhere, everywhere.updated_at - 1)); // an old event: nothing is written
  assert.deepEqual([await replaced('full_name'), await replaced('username'), await replaced('email')], [2, 1, 1]);
  const broken = (bytes) => {
    const one = record();
    return { ...one, value: Buffer.concat([Buffer.from(one.value.replace(/"first_name":"Ada.*$/s, '"first_name":"')), Buffer.from(bytes), Buffer.from(one.value.replace(/^.*"first_name":"Ada/s, ''))]) };
  };
  await assertParked([
    ['a lone surrogate', withText((text) => text.replace('"Ada"', '"\\ud800"')), 'not_json'],
    ['an invalid byte', broken([0xff]), 'not_json'],
    ['an overlong form', broken([0xc0, 0xaf]), 'not_json'],
    ['a surrogate in UTF-8', broken([0xed, 0xa0, 0x80]), 'not_json'],
    ['an overlong U+0000', broken([0xc0, 0x80]), 'not_json'],
    ['a character in four bytes', broken([0xf0, 0x80, 0x81, 0x81]), 'not_json'],
    ['beyond U+10FFFF', broken([0xf4, 0x90, 0x80, 0x80]), 'not_json'],
    ['a character without its end', broken([0xf0, 0x9f, 0x91]), 'not_json'],
    ['U+0000 as a byte', broken([0]), 'not_json'],
  ]);
});

test('contents: NFC and NFD spellings are two users, each with own e-mail and username [E2]', async () => {
  const conflicts = await total('clerk_worker_conflicts_total');
  const tag = clerkId().slice(-8).toLowerCase();
  const [composed, decomposed] = ['NFC', 'NFD'].map((form) => {
    const name = `rené-${tag}`.normalize(form);
    return clerkUser({ username: name, first_name: name, last_name: null, email: `${name}@example.com` });
  });
  assert.notEqual(composed.username, decomposed.username);
  for (const user of [composed, decomposed]) await applied(user, userCreated(user));
  for (const user of [composed, decomposed]) {
    const { user: row, profiles: linked } = await read(user);
    const expected = [user.username, user.username, `${user.username}@example.com`, user.username];
    assert.deepEqual([row.username, row.full_name, row.email, linked.user_profile[0].name], expected);
  }
  assert.equal(await total('clerk_worker_conflicts_total'), conflicts);
});

test('contents: text that means something to SQL, a shell or a browser stays text [E3]', async () => {
  const texts = [
    "'); DROP TABLE up_users; --", '$1', '%s%n', '\\copy up_users to stdout', '<script>alert(1)</script>', 'NULL', 'null', '{}', '{"a",NULL}',
    '"', '\\', '\\\\"', ',', "E'\\x00'", '{users}', '{now}', '${HOME}', '$(reboot)', '__proto__', 'true', '0',
  ];
  for (const text of texts) {
    const user = clerkUser({ first_name: text, last_name: null, username: text, email: `${clerkId()}${text}@example.com` });
    const { user: row, profiles: linked } = await applied(user, userCreated(user));
    const email = user.email_addresses[0].email_address.toLowerCase();
    assert.deepEqual([row.full_name, row.username, row.email, linked.user_profile[0].name], [text, text, email, text]);
  }
});

test('contents: a name of 10 000 characters is cut to 255 characters, and counted [E4]', async () => {
  const transactions = await total('clerk_worker_apply_seconds_count');
  const user = clerkUser({ first_name: '👩'.repeat(10_000), last_name: null, username: 'ü'.repeat(300), email: `${'x'.repeat(300)}@example.com` });
  const { user: row, profiles: linked } = await applied(user, userCreated(user));
  assert.deepEqual([row.full_name, row.username, row.email], ['👩'.repeat(255), 'ü'.repeat(255), 'x'.repeat(255)]);
  assert.equal(linked.user_profile[0].name, '👩'.repeat(255));
  for (const field of ['full_name', 'username', 'email']) assert.equal(await total('clerk_worker_truncated_total', { field }), 1);
  assert.equal(await total('clerk_worker_apply_seconds_count'), transactions + 1); // written at once, without a retry
  const again = { ...user, updated_at: user.updated_at + 1 };
  await applied(user, userUpdated(again));
  assert.equal(await total('clerk_worker_apply_seconds_count'), transactions + 2);
  const fits = clerkUser({ first_name: '👩'.repeat(255), last_name: null, username: `${'ü'.repeat(254)}x`, email: `${'y'.repeat(243)}@example.com` });
  const whole = await applied(fits, userCreated(fits)); // one character less than what is cut
  assert.deepEqual([whole.user.full_name, whole.user.username, whole.user.email], [fits.first_name, fits.username, fits.email_addresses[0].email_address]);
  assert.equal(await total('clerk_worker_truncated_total', { field: 'username' }), 2); // twice for the user above
  assert.equal(await outcomes('parked'), await total('clerk_worker_dead_letters_total'));
});

test('conflict: the second user of a value and a phone-only user get placeholders [E5, E6, I4]', async () => {
  const updatedAt = Date.now(); // the newer user keeps the values, in either order
  const first = clerkUser({ username: 'same', email: 'same@example.com', updatedAt });
  const second = clerkUser({ username: 'same', email: 'Same@Example.com', updatedAt: updatedAt - 1000 });
  await applied(first, userCreated(first));
  const { user: row } = await applied(second, userCreated(second));
  assert.deepEqual([row.email, row.username], [`${second.id}@clerk.user`, `same-${second.id.slice(-6)}`]);
  for (const kind of ['email', 'username']) assert.equal(await total('clerk_worker_conflicts_total', { kind, decision: 'placeholder' }), 1);
  const { user: other } = await applied(first, userUpdated({ ...first, updated_at: first.updated_at + 1 }));
  assert.deepEqual([other.email, other.username], ['same@example.com', 'same']);

  const phone = clerkUser({ email: null, first_name: null, last_name: null });
  const { user: silent, profiles: linked } = await applied(phone, userCreated(phone));
  assert.deepEqual([silent.email, silent.username, silent.full_name], [`${phone.id}@clerk.user`, phone.id, null]);
  assert.match(linked.user_profile[0].name, /^[A-Z][a-z]+[A-Z][a-z]+[1-9]\d{3}$/);
  assert.equal(linked.member_profile[0].name, linked.user_profile[0].name);
});

test('conflict: two long values that are equal when cut give two rows at the first try [E4, E5]', async () => {
  const updatedAt = Date.now();
  const [first, second] = [0, 1].map((n) => clerkUser({ username: 'ö'.repeat(255) + n, email: `${'z'.repeat(255)}${n}@example.com`, updatedAt: updatedAt - n }));
  const transactions = await total('clerk_worker_apply_seconds_count');
  for (const user of [first, second]) await applied(user, userCreated(user));
  const { user: kept } = await read(first);
  const { user: gave } = await read(second);
  assert.deepEqual([kept.email, kept.username], ['z'.repeat(255), 'ö'.repeat(255)]);
  assert.deepEqual([gave.email, gave.username], [`${second.id}@clerk.user`, `${'ö'.repeat(248)}-${second.id.slice(-6)}`]);
  assert.equal(await total('clerk_worker_apply_seconds_count'), transactions + 2);
  await applied(first, userDeleted(first.id)); // and the user's values are free again
  const { user: restored } = await read(second);
  assert.deepEqual([restored.email, restored.username], [kept.email, kept.username]);
  await applied(second, userDeleted(second.id));
});

test('contents: an unverified address changes no local user, metadata no role [E7, E8, I10]', async () => {
  const [local] = await database.rows("select * from up_users where username = 'local'");
  const taker = clerkUser({ email: 'LOCAL@example.com', verified: false, username: 'local', public_metadata: { role: 'admin', __proto__: { a: 1 }, id: 1 } });
  const sent = JSON.stringify(userCreated(taker)).replace('"public_metadata":{', '"public_metadata":{"__proto__":{"role":2},"big":12345678901234567890123,"huge":1e400,');
  await apply({ ...eventRecord(userCreated(taker)), value: sent });
  const { user: row, roles } = await read(taker);
  assert.deepEqual([row.email, row.username], [`${taker.id}@clerk.user`, `local-${taker.id.slice(-6)}`]);
  assert.deepEqual(roles.map((role) => role.type), ['authenticated']);
  assert.deepEqual((await database.rows("select * from up_users where username = 'local'"))[0], local);
});

test('contents: unmapped fields may be any JSON, mapped ones must fit [E8, E11, I8]', async () => {
  const odd = '{"__proto__":{"role":"admin","blocked":true},"constructor":{"prototype":{}},"id":1,"clerk_id":"user_x","role":"admin","n":1e400,"m":-12345678901234567890123,"t":1e300,"z":0.0000000000000000000000000000000001}';
  const user = clerkUser();
  const event = eventRecord(userCreated(user));
  const others = ',"private_metadata":ODD,"unsafe_metadata":ODD,"__proto__":ODD,"last_sign_in_at":1e400,"external_id":12345678901234567890123}';
  const data = JSON.stringify(user).replace(/"(public|private|unsafe)_metadata":[^,]*,?/g, '').replace(/,?}$/, `,"public_metadata":ODD${others}`).replaceAll('ODD', odd);
  await apply({ ...event, value: event.value.replace(JSON.stringify(user), () => data) });
  const { user: row, roles } = await read(user);
  assert.deepEqual([row.clerk_id, row.full_name, row.blocked, roles.map(({ type }) => type)], [user.id, 'Ada Lovelace', false, ['authenticated']]);

  const with1 = (name, value) => withText((text) => text.replace(new RegExp(`"${name}":(\\d+|"[^"]*"|null|false|\\[.*?\\](?=,"))`), `"${name}":${value}`));
  await assertParked([
    ...['1e400', '1e300', '9223372036854775808', '12345678901234567890123', '1.5', '"2026-01-01"', '{}'].flatMap((value) =>
      ['created_at', 'updated_at'].map((name) => [`${name} ${value}`, with1(name, value), 'bad_field'])),
    ...['first_name', 'last_name', 'username'].flatMap((name) => ['1e400', '7', 'true', '["x"]', '{"$ne":"x"}'].map((value) => [`${name} ${value}`, with1(name, value), 'bad_field'])),
    ['banned "yes"', with1('banned', '"yes"'), 'bad_field'],
    ['banned 1', with1('banned', '1'), 'bad_field'],
    ['addresses that are text', with1('email_addresses', '"ada@example.com"'), 'bad_field'],
  ]);
});

test('rows: a row deleted by hand returns with its document id at the next event [E9]', async () => {
  const user = clerkUser();
  const first = await applied(user, userCreated(user));
  await database.rows('delete from up_users where id = $1', [first.user.id]);
  const again = await applied(user, userCreated(user)); // even one that is a duplicate
  assert.notEqual(again.user.id, first.user.id);
  assert.equal(again.user.document_id, first.user.document_id);
  assert.equal(again.user.email, first.user.email);
  assert.deepEqual(again.profiles, first.profiles);
  assert.deepEqual(again.roles.map((role) => role.type), ['authenticated']);
});

test('rows: a user deleted in Strapi while an event is applied is created again [E9, I2, I8]', async () => {
  const user = clerkUser();
  const { user: row } = await applied(user, userCreated(user));
  const parked = await outcomes('parked');
  const strapi = await database.connect();
  await strapi.query('begin');
  await strapi.query('delete from up_users where id = $1', [row.id]);
  const applying = apply(eventRecord(userUpdated({ ...user, first_name: 'Augusta', updated_at: user.updated_at + 1 })));
  const waits = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await waitFor(async () => (await database.rows(waits)).length > 0, { what: "the worker waits for Strapi's transaction" });
  await strapi.query('commit');
  strapi.release();
  await applying;
  assert.equal(await outcomes('parked'), parked);
  assert.equal((await read(user))?.user.full_name, 'Augusta Lovelace');
});

test('DELETE_POLICY=block: keeps a blocked row without personal data, never unblocked [I3]', async () => {
  const own = await newTopics();
  const other = await workerOn(own, { DELETE_POLICY: 'block' });
  const user = clerkUser();
  await kafka.appendAll(own.TOPIC_USER_EVENTS, partition, [eventRecord(userCreated(user))]);
  await waitFor(() => read(user), { what: 'the user' });
  const events = [userDeleted(user.id), userUpdated({ ...user, updated_at: user.updated_at + 1 }), userCreated(user)];
  await kafka.appendAll(own.TOPIC_USER_EVENTS, partition, events.map((one) => eventRecord(one)));
  await waitFor(async () => (await other.metrics()).value('clerk_worker_events_total') === 4, { what: 'all processed' });
  const { user: row } = await read(user);
  assert.deepEqual(
    [row.email, row.username, row.full_name, row.blocked, row.provider],
    [`${user.id}@clerk.user`, user.id, null, true, 'clerk-deleted'],
  );
  assert.deepEqual(await database.rows('select 1 from user_profiles p join user_profiles_user_lnk l on l.user_profile_id = p.id where l.user_id = $1 and p.name is not null', [row.id]), []);
  assert.equal((await other.metrics()).value('clerk_worker_events_total', { outcome: 'stale' }), 2);
  await other.stop();
});

test('grants: those of schemas/sql are all that the worker needs', async () => {
  await database.rows(`do $$ begin
    if not exists (select 1 from pg_roles where rolname = 'clerk_worker') then create role clerk_worker login; end if;
    if not exists (select 1 from pg_roles where rolname = 'clerk_ingest') then create role clerk_ingest login; end if; end $$`);
  const grants = readFileSync(path.join(repository, 'schemas/sql/grants.sql'), 'utf8');
  await database.rows(grants);
  for (const line of grants.matchAll(/^-- {2,}(grant .*;)$/gm)) await database.rows(line[1]); // for the profile type, as its comment asks
  const own = await newTopics();
  const url = new URL(database.url);
  url.username = 'clerk_worker';
  const other = await workerOn(own, { DATABASE_URL: url.href, STRAPI_PROFILE_CONTENT_TYPES: 'api::user-profile.user-profile' });
  const [kept, deleted] = [clerkUser(), clerkUser()];
  const linking = clerkUser({ email: 'granted@example.com', verified: false });
  const [local] = await database.rows("insert into up_users (document_id, username, email, provider, password) values ('granted', 'granted', 'granted@example.com', 'local', 'x') returning id");
  const verified = { ...linking, updated_at: linking.updated_at + 1, email_addresses: clerkUser({ id: linking.id, email: 'granted@example.com' }).email_addresses };
  await kafka.appendAll(own.TOPIC_USER_EVENTS, partition, [eventRecord(userCreated(linking))]);
  await waitFor(() => read(linking), { what: 'a row beside the local one' });
  const events = [userUpdated(verified), userCreated(kept), userUpdated({ ...kept, first_name: 'Augusta', updated_at: kept.updated_at + 1 }), userCreated(deleted), userDeleted(deleted.id)];
  await kafka.appendAll(own.TOPIC_USER_EVENTS, partition, events.map((one) => eventRecord(one)));
  await waitFor(async () => (await other.metrics()).value('clerk_worker_events_total') === events.length + 1, { what: 'all processed' });
  assert.equal((await other.metrics()).value('clerk_worker_dead_letters_total'), 0);
  assert.deepEqual(await database.rows('select id, provider, password from up_users where clerk_id = $1', [linking.id]), [{ id: local.id, provider: 'clerk', password: null }]);
  assert.equal((await read(kept)).user.full_name, 'Augusta Lovelace');
  assert.equal((await read(kept)).profiles.user_profile.length, 1);
  assert.equal(await read(deleted), null);
  await other.stop();
});

test('rows: a changed default of the site is followed within seconds [I10]', async () => {
  const put = (value) => database.rows(
    `update strapi_core_store_settings set value = jsonb_set(value::jsonb, '{api::user-profile.user-profile,attributes,credits,default}', $1::jsonb)::text
      where key = 'strapi_content_types_schema'`, [String(value)]); // as Strapi's next boot does
  const credits = async () => {
    const user = clerkUser();
    return (await applied(user, userCreated(user))).profiles.user_profile[0].credits;
  };
  assert.equal(await credits(), 7);
  await put(50);
  try {
    await waitFor(async () => (await credits()) === 50, { what: 'a new user with the new default', deadlineMs: 8_000, everyMs: 200 });
  } finally {
    await put(7);
  }
});

test('rows: the worker waits for a locked row, and dead-letters nothing [E9, I8]', async () => {
  const user = clerkUser();
  const { user: row } = await applied(user, userCreated(user));
  const [parked, updated] = [await outcomes('parked'), await outcomes('updated')];
  const editor = await database.connect();
  await editor.query('begin');
  await editor.query('select 1 from up_users where id = $1 for update', [row.id]);
  const neighbour = clerkUser();
  const applying = apply(eventRecord(userUpdated({ ...user, first_name: 'Augusta', updated_at: user.updated_at + 1 })), eventRecord(userCreated(neighbour)));
  await waitFor(async () => (await database.rows("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length > 0, { what: 'the worker waits for the row' });
  assert.equal((await read(user)).user.full_name, 'Ada Lovelace');
  await editor.query('commit');
  editor.release();
  await applying;
  assert.equal((await read(user)).user.full_name, 'Augusta Lovelace');
  assert.ok(await read(neighbour));
  assert.deepEqual([await outcomes('parked'), await outcomes('updated')], [parked, updated + 1]);
});

test('rows: columns that a site has added are never written [E9, I10]', async () => {
  await database.rows("alter table up_users add column shoe_size int not null default 42, add column \"Odd; name\" jsonb default '{\"a\":1}'");
  const user = clerkUser();
  await applied(user, userCreated(user));
  const extra = async () => (await database.rows('select shoe_size, "Odd; name" as odd from up_users where clerk_id = $1', [user.id]))[0];
  assert.deepEqual(await extra(), { shoe_size: 42, odd: { a: 1 } });
  await database.rows("update up_users set shoe_size = 7, \"Odd; name\" = '[null]' where clerk_id = $1", [user.id]);
  assert.equal((await applied(user, userUpdated({ ...user, first_name: 'Augusta', updated_at: user.updated_at + 1 }))).user.full_name, 'Augusta Lovelace');
  assert.deepEqual(await extra(), { shoe_size: 7, odd: [null] });
});

test('rows: a missing column is named, makes the worker not ready until it exists [E9, I1, I9]', async () => {
  const own = await newTopics();
  for (const [table, column] of [['up_users', 'full_name'], ['user_profiles', 'name']]) {
    await database.rows(`alter table ${table} rename column ${column} to gone`);
    const other = await workerOn(own, {}, { wait: false });
    const user = clerkUser();
    try {
      await kafka.appendAll(own.TOPIC_USER_EVENTS, partition, [eventRecord(userCreated(user))]);
      await waitFor(async () => (await readiness(other)).failing.some(({ detail }) => detail.includes(column) && detail.includes(table)), { what: `${table}.${column} named` });
      assert.equal((await readiness(other)).status, 503);
      assert.equal((await other.metrics()).value('clerk_worker_paused', { cause: 'schema' }), 1);
      assert.equal((await other.metrics()).value('clerk_worker_events_total'), 0);
      assert.equal(await read(user), null);
    } finally {
      await database.rows(`alter table ${table} rename column gone to ${column}`);
    }
    await waitFor(() => read(user), { what: 'the user, once the column is back', deadlineMs: 30_000 });
    await waitFor(async () => (await readiness(other)).status === 200, { what: 'ready again' });
    assert.equal((await other.metrics()).value('clerk_worker_dead_letters_total'), 0);
    await other.stop();
  }
  assert.equal(await kafka.length(own.TOPIC_DEAD_LETTERS), 0);
});

test('rows: columns that we do not own keep their values [E9, I10]', async () => {
  const user = clerkUser();
  const { user: row } = await applied(user, userCreated(user));
  await database.rows("update up_users set password = 'hash', reset_password_token = 't', confirmation_token = 'c', confirmed = false, locale = 'fr', provider = 'github' where id = $1", [row.id]);
  await database.rows('update user_profiles set credits = 99, newsletter = false where name = $1', ['Ada Lovelace']);
  const { user: now, profiles: linked } = await applied(user, userUpdated({ ...user, first_name: 'Augusta', updated_at: user.updated_at + 1 }));
  const { password, reset_password_token, confirmation_token, confirmed, locale, provider, full_name } = now;
  assert.deepEqual([password, reset_password_token, confirmation_token, confirmed, locale, provider], ['hash', 't', 'c', false, 'fr', 'github']);
  assert.equal(full_name, 'Augusta Lovelace');
  assert.deepEqual([linked.user_profile[0].credits, linked.user_profile[0].newsletter], [99, false]);
});

// As the legacy plugin leaves a user: no provider, times of its own, no state beside it.
async function legacyUser(user, name) {
  const [{ id }] = await database.rows(
    `insert into up_users (document_id, username, email, confirmed, blocked, created_at, updated_at, published_at, clerk_id, full_name)
     values ('seed' || substr(md5($1), 1, 20), $2, $2, true, false, '2025-01-01 10:00:00.123', '2025-01-01 10:00:00.123', '2025-01-01 10:00:00.124', $1, $3) returning id`,
    [user.id, `old.${user.id}@example.com`, name],
  );
  await database.rows("insert into up_users_role_lnk (user_id, role_id, user_ord) select $1, id, 1 from up_roles where type = 'public'", [id]);
  const [{ id: profile }] = await database.rows("insert into user_profiles (document_id, name, published_at) values ('prof' || substr(md5($1), 1, 20), $2, now()) returning id", [user.id, name]);
  await database.rows('insert into user_profiles_user_lnk (user_profile_id, user_id) values ($1, $2)', [profile, id]);
  return read(user);
}

test("adoption: the legacy plugin's users keep id, role, profile; Clerk's deletion applies [E10]", async () => {
  const user = clerkUser();
  const seeded = await legacyUser(user, 'Ada Byron');
  const adopted = await outcomes('adopted');
  const now = await applied(user, userUpdated(user));
  assert.equal(await outcomes('adopted'), adopted + 1);
  const { id, document_id, created_at, published_at } = seeded.user;
  assert.deepEqual([now.user.id, now.user.document_id, now.user.created_at, now.user.published_at], [id, document_id, created_at, published_at]);
  assert.deepEqual([now.user.full_name, now.user.email, now.user.provider], ['Ada Lovelace', user.email_addresses[0].email_address, 'clerk']);
  assert.deepEqual(now.roles, seeded.roles);
  assert.deepEqual(now.profiles.user_profile.map((one) => [one.id, one.document_id, one.name]), [[seeded.profiles.user_profile[0].id, seeded.profiles.user_profile[0].document_id, 'Ada Lovelace']]);
  assert.equal(now.profiles.member_profile.length, 1);

  const other = clerkUser();
  const { profiles: linked } = await legacyUser(other, 'Charles Babbage');
  assert.equal(await applied(other, userDeleted(other.id)), null);
  assert.deepEqual(await database.rows('select 1 from user_profiles where document_id = $1', [linked.user_profile[0].document_id]), []);
});

test("blocked: banned and deprovisioned block, locked does not, an admin's block stays [E12]", async () => {
  const sequence = (user, ...flags) => flags.map((flag, i) => userUpdated({ ...user, ...flag, updated_at: user.updated_at + 1 + i }));
  const blocked = async (user, ...envelopes) => (await applied(user, ...envelopes)).user.blocked;
  const off = { banned: false, deprovisioned: false, locked: false };
  for (const flag of ['banned', 'deprovisioned']) {
    const user = clerkUser();
    const [on, undone] = sequence(user, { [flag]: true }, off);
    assert.equal(await blocked(user, userCreated(user)), false);
    assert.equal(await blocked(user, on), true);
    assert.equal(await blocked(user, undone), false);
    const born = clerkUser({ [flag]: true });
    assert.equal(await blocked(born, userCreated(born)), true);
    assert.equal(await blocked(born, ...sequence(born, off)), false);
  }
  const locked = clerkUser({ locked: true });
  assert.equal(await blocked(locked, userCreated(locked)), false);

  const user = clerkUser();
  const [updated, banned, unbanned] = sequence(user, off, { banned: true }, off);
  assert.equal(await blocked(user, userCreated(user)), false);
  await database.rows('update up_users set blocked = true where clerk_id = $1', [user.id]);
  for (const event of [updated, banned, unbanned]) assert.equal(await blocked(user, event), true);
});
