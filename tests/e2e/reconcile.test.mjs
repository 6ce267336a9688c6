// needs: database, kafka
// `clerk-worker reconcile`: every kind of drift is found, nothing else is reported, and a repair goes through the same
// pipeline as every event.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventRecord } from './records.mjs';
import { clerkId, userDeleted, userUpdated } from './support.mjs';
import { hangAt, jsonLines, longAgo, newStage, people } from './clerk-api-stage.mjs'; // newTopics() and startWorker() of support.mjs

// A site whose users were all imported, plus one user that only Strapi has.
async function importedStage(users, more = {}) {
  const stage = await newStage({ users, ...more });
  assert.equal((await stage.run(['backfill'])).code, 0);
  await stage.settled();
  return stage;
}

const reconcile = async (stage, args = [], more = {}) => {
  const { code, stdout, stderr } = await stage.run(['reconcile', '--json', ...args], more);
  assert.notEqual(stdout, '', stderr);
  const lines = jsonLines(stdout);
  return { code, stderr, summary: lines.at(-1), found: Object.fromEntries(lines.slice(0, -1).map((one) => [one.clerk_id, one])) };
};

const insertLocal = (stage, email, username) =>
  stage.database.rows(
    `insert into up_users (document_id, username, email, provider, confirmed, blocked, created_at, updated_at, published_at)
     values (md5($1), $2, $1, 'local', true, false, now(), now(), now())`, [email, username]);

test("reconcile: conflicts, admins' blocks, hand-set roles and local users are no drift", async () => {
  const users = people(520);
  const [conflicting, blocked, promoted] = users;
  const stage = await newStage({ users, environment: { EMAIL_CONFLICT: 'placeholder' } });
  await insertLocal(stage, conflicting.email_addresses[0].email_address, 'taken');
  assert.equal((await stage.run(['backfill'])).code, 0);
  await stage.settled();
  await stage.database.rows('update up_users set blocked = true where clerk_id = $1', [blocked.id]);
  await stage.database.rows(`update up_users_role_lnk set role_id = (select max(id) from up_roles) where user_id = (select id from up_users where clerk_id = $1)`, [promoted.id]);
  const { code, summary, found } = await reconcile(stage);
  assert.deepEqual(found, {});
  assert.equal(code, 0);
  const { checked, missing, differs, extra, tombstoned, conflicts, left } = summary;
  assert.deepEqual({ checked, missing, differs, extra, tombstoned, left }, { checked: 520, missing: 0, differs: 0, extra: 0, tombstoned: 0, left: 0 });
  assert.equal(conflicts, 1);
  assert.equal((await stage.read(conflicting)).user.email, `${conflicting.id}@clerk.user`.toLowerCase());
});

test('reconcile: finds each kind of drift by its fields, --repair repairs the repairable [I2]', async () => {
  const users = people(530);
  const [email, username, name, unbanned, bare, profileless, missing, changed, revived, gone, goneLater, adopted] = users;
  const stage = await importedStage(users);
  const { database, clerk, kafka, topics } = stage;
  const sql = (text, user) => database.rows(text, [user.id]);
  const idOf = '(select id from up_users where clerk_id = $1)';
  await sql(`update up_users set email = 'other@example.com' where clerk_id = $1`, email);
  await sql(`update up_users set username = 'other' where clerk_id = $1`, username);
  await sql('update up_users set full_name = null where clerk_id = $1', name);
  await sql('update up_users set blocked = true where clerk_id = $1', unbanned);
  await sql('update clerk_sync.user_state set blocked_by_us = true, banned = true where clerk_id = $1', unbanned);
  await sql(`delete from up_users_role_lnk where user_id = ${idOf}`, bare); // an admin may
  await sql(`delete from user_profiles where id in (select user_profile_id from user_profiles_user_lnk where user_id = ${idOf})`, profileless);
  await sql('delete from up_users where clerk_id = $1', missing);
  clerk.users.set(changed.id, { ...changed, last_name: 'Changed', updated_at: changed.updated_at + 1 }); // a webhook that never arrived
  await kafka.append(topics.TOPIC_USER_EVENTS, eventRecord(userDeleted(revived.id))); // and Clerk still has the user
  clerk.users.delete(gone.id); // a deletion that never arrived
  clerk.users.delete(goneLater.id);
  await sql('delete from clerk_sync.user_state where clerk_id = $1', adopted);
  await stage.settled();

  const { code, summary, found } = await reconcile(stage);
  assert.equal(code, 3);
  const kinds = Object.fromEntries(Object.entries(found).map(([id, one]) => [id, [one.kind, ...one.fields].join(' ')]));
  assert.deepEqual(kinds, {
    [email.id]: 'differs email', [username.id]: 'differs username', [name.id]: 'differs full_name', [unbanned.id]: 'differs blocked',
    [profileless.id]: 'differs profile', [missing.id]: 'missing', [changed.id]: 'differs full_name',
    [revived.id]: 'tombstoned', [gone.id]: 'extra', [goneLater.id]: 'extra', [adopted.id]: 'differs state',
  });
  assert.equal(summary.left, 11);
  assert.equal(await stage.length(topics.TOPIC_SNAPSHOTS), 530, 'without --repair nothing is published');

  const repaired = await reconcile(stage, ['--repair']);
  assert.equal(repaired.code, 3, 'one is tombstoned, which only a person lifts');
  assert.deepEqual([repaired.summary.repaired, repaired.summary.deleted, repaired.summary.left], [8, 2, 1]);
  await stage.settled();
  const after = await reconcile(stage);
  const left = Object.values(after.found).map(({ clerk_id: id, kind }) => [id, kind]);
  assert.deepEqual(left, [[revived.id, 'tombstoned']]);
  assert.equal(await stage.read(gone), null);
  assert.equal((await stage.read(changed)).user.full_name, 'Ada Changed');
  assert.equal((await stage.read(email)).user.email, email.email_addresses[0].email_address);
  assert.equal(await stage.length(topics.TOPIC_DEAD_LETTERS), 0);
});

test('reconcile: a role that we set follows ROLE_MAP; a hand-set role is no drift', async () => {
  const users = people(2);
  const [mapped, byHand] = users;
  const map = { from: 'role', map: { guest: 'public', member: 'authenticated' }, allowed: ['public', 'authenticated'] };
  const stage = await importedStage(users, { environment: { ROLE_MAP: JSON.stringify(map) } });
  await stage.database.rows(`update up_users_role_lnk set role_id = (select id from up_roles where type = 'public') where user_id = (select id from up_users where clerk_id = $1)`, [byHand.id]);
  for (const user of users) stage.clerk.users.set(user.id, { ...user, public_metadata: { role: 'guest' } });
  const { code, found } = await reconcile(stage, ['--repair']);
  assert.deepEqual(Object.values(found).map(({ clerk_id: id, fields }) => [id, fields]), [[mapped.id, ['role']]]);
  assert.equal(code, 0);
  await stage.settled();
  assert.deepEqual((await stage.read(mapped)).roles.map(({ type }) => type), ['public']);
});

test('reconcile: deletes a user only after a 404 for the id, never by absence in a list [F31]', async () => {
  const users = people(12);
  const stage = await importedStage(users);
  const { clerk } = stage;
  clerk.behave = async (route) => (route === '/v1/users' ? { status: 200, body: [] } : null); // an incomplete list
  const { code, summary } = await reconcile(stage, ['--repair']);
  assert.equal(code, 0);
  assert.deepEqual([summary.checked, summary.extra, summary.deleted], [12, 0, 0]);
  clerk.behave = async (route) => (route === '/v1/users' ? { status: 200, body: [] } : route === '/v1/instance' || route.endsWith('/count') ? null : { status: 401, body: {} });
  const refused = await stage.run(['reconcile', '--repair']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Clerk rejects the key/);
  await stage.settled();
  assert.equal(await stage.count('up_users where clerk_id is not null'), 12);
});

test('reconcile: more than ten deletions need --delete with the exact number', async () => {
  const users = people(14);
  const stage = await importedStage(users);
  for (const user of users.slice(0, 11)) stage.clerk.users.delete(user.id);
  for (const args of [[], ['--delete', '10'], ['--delete', '12']]) {
    const { code, stderr, summary } = await reconcile(stage, ['--repair', ...args]);
    assert.deepEqual([code, summary.deleted], [3, 0], args.join(' '));
    assert.match(stderr, /refusing to delete 11 users that Clerk does not have.*--delete 11 to confirm/);
  }
  const { code, summary } = await reconcile(stage, ['--repair', '--delete', '11']);
  assert.deepEqual([code, summary.deleted, summary.left], [0, 11, 0]);
  await stage.settled();
  assert.equal(await stage.count('up_users where clerk_id is not null'), 3);
  assert.equal(await stage.count('clerk_sync.user_state where tombstone'), 11);
  assert.equal((await stage.run(['reconcile'])).code, 0);
});

test('reconcile: a pending change is no drift until it is older than --settle', async () => {
  const [user, newer] = people(2);
  const stage = await importedStage([user, newer]);
  stage.clerk.users.set(user.id, { ...user, first_name: 'Fresh', updated_at: Date.now() });
  await stage.kafka.append(stage.topics.TOPIC_USER_EVENTS, eventRecord(userUpdated({ ...newer, first_name: 'Overtaken', updated_at: longAgo + 60_000 })));
  await stage.settled();
  const settled = await reconcile(stage);
  assert.deepEqual([settled.code, settled.summary.under_way, settled.found], [0, 2, {}]);
  const strict = await reconcile(stage, ['--settle', '0']);
  assert.deepEqual([strict.code, strict.summary.under_way, Object.keys(strict.found)], [3, 1, [user.id]]);
});

test('reconcile --user: compares one user: in step, different, unknown to both', async () => {
  const users = people(3);
  const stage = await importedStage(users);
  const [same, other, gone] = users;
  await stage.database.rows('update up_users set full_name = $2 where clerk_id = $1', [other.id, 'By hand']);
  stage.clerk.users.delete(gone.id);
  assert.equal((await stage.run(['reconcile', '--user', same.id])).code, 0);
  const { code, stdout } = await stage.run(['reconcile', '--user', other.id]);
  assert.equal(code, 3);
  assert.match(stdout, new RegExp(`differs\\s+${other.id}\\s+full_name`));
  assert.doesNotMatch(stdout, /By hand|Ada/, 'I6: names of fields, no values');
  assert.equal((await reconcile(stage, ['--user', gone.id])).found[gone.id].kind, 'extra');
  assert.equal((await stage.run(['reconcile', '--user', clerkId()])).code, 0);
  assert.equal((await stage.run(['reconcile', '--user', other.id, '--repair'])).code, 0);
  await stage.settled();
  assert.equal((await stage.read(other)).user.full_name, 'Ada No1');
});

test('reconcile: Ctrl-C prints what was found; wrong instance or usage exits 2', async () => {
  const users = people(600);
  const stage = await newStage({ users, worker: false });
  const hanging = hangAt(stage.clerk, (query) => query.get('starting_after') === users[499].id);
  const running = stage.start(['reconcile', '--json']);
  await hanging.reached;
  assert.equal((await running.stop({ signal: 'SIGINT' })).code, 1);
  assert.match(running.log(), /stopped/);
  assert.match(running.log(), /"finished":false,"checked":500,"missing":500/);
  hanging.open();
  const wrong = [
    [[], { CLERK_INSTANCE_IDS: 'ins_another' }], [[], { CLERK_INSTANCE_IDS: '' }], [['--delete', '3'], {}], [['--user', 'unknown'], {}], [['--settle', '-1'], {}],
  ];
  for (const [args, more] of wrong) assert.equal((await stage.run(['reconcile', ...args], more)).code, 2, JSON.stringify([args, more]));
  assert.match((await stage.run(['reconcile', '--help'])).stdout, /Examples:/);
  await stage.database.drop();
  const unreachable = await stage.run(['reconcile']);
  assert.equal(unreachable.code, 1);
  assert.match(unreachable.stderr, /reconcile: /);
});
