// needs: database, kafka
// `clerk-worker replay`: the topics read again by the same rule, beside running programs.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setUp } from './operator-stage.mjs'; // newTopics() and startWorker() of support.mjs
import { eventRecord } from './records.mjs';
import { clerkUser, userCreated, userDeleted, userUpdated, waitFor } from './support.mjs';

let stage;
const users = Array.from({ length: 24 }, (_, i) => clerkUser({ username: `user${i}` }));
const renamed = (user, name) => ({ ...user, first_name: name, updated_at: user.updated_at + 1000 });
let expected;

const empty = () =>
  stage.database.rows(`truncate up_users, up_users_role_lnk, user_profiles, user_profiles_user_lnk, clerk_sync.user_state, clerk_sync.next_offset cascade`);

before(async () => {
  stage = await setUp();
  const worker = await stage.worker();
  await stage.publish(users.map((user) => userCreated(user)));
  await stage.publish(users.slice(0, 8).map((user) => userUpdated(renamed(user, 'Renamed'))));
  await stage.publish(users.slice(4, 7).map((user) => userDeleted(user.id)));
  await stage.kafka.append(stage.topics.TOPIC_USER_EVENTS, { ...eventRecord(userCreated(clerkUser())), value: 'not JSON' });
  await stage.settled();
  await stage.publish([userUpdated(users[5])]); // after the deletion
  await stage.settled();
  await worker.stop();
  expected = await stage.shown();
  assert.equal(expected.length, 21);
});

test('replay: rebuilds emptied tables with their document ids, restores no deleted user [I2, I3]', async () => {
  const deadLetters = await stage.kafka.length(stage.topics.TOPIC_DEAD_LETTERS);
  const committed = await stage.kafka.committed(stage.topics.KAFKA_GROUP_ID, stage.topics.TOPIC_USER_EVENTS);
  await empty();
  const { code, json, stderr } = await stage.run('replay', '--from', 'beginning', '--json');
  assert.equal(code, 0, stderr);
  assert.equal(json.read, 37);
  assert.deepEqual(json.unusable, { not_json: 1 });
  assert.deepEqual(await stage.shown(), expected);
  // It commits no offsets, and dead-deadLetters nothing again.
  assert.deepEqual(await stage.positions(), []);
  assert.deepEqual(await stage.kafka.committed(stage.topics.KAFKA_GROUP_ID, stage.topics.TOPIC_USER_EVENTS), committed);
  assert.equal(await stage.kafka.length(stage.topics.TOPIC_DEAD_LETTERS), deadLetters);
});

test('replay: a second run finds only duplicate and stale events, writes no row [F23, I2]', async () => {
  const written = () => stage.database.rows('select clerk_id, xmin::text from up_users order by 1');
  const before = await written();
  const { code, json } = await stage.run('replay', '--from', 'beginning', '--json');
  assert.equal(code, 0);
  assert.deepEqual(Object.keys(json.outcomes).sort(), ['duplicate', 'stale']);
  assert.deepEqual(await written(), before);
});

test('replay --dry-run: prints what would change, and changes nothing', async () => {
  await stage.database.rows('delete from up_users where clerk_id = $1', [users[9].id]);
  const before = await stage.shown();
  const { code, json } = await stage.run('replay', '--from', 'beginning', '--dry-run', '--json');
  assert.equal(code, 0);
  assert.equal(json.outcomes.created, 1);
  assert.equal(json.users, 1);
  assert.deepEqual(await stage.shown(), before);
});

test("replay: --user applies one user's events, --reapply rewrites rows edited by hand", async () => {
  const only = await stage.run('replay', '--from', '1h', '--user', users[9].id, '--json');
  assert.equal(only.code, 0, only.stderr);
  assert.deepEqual(only.json.outcomes, { created: 1 });
  assert.deepEqual(await stage.shown(), expected);

  await stage.database.rows(`update up_users set full_name = 'By Hand' where clerk_id = $1`, [users[10].id]);
  await stage.run('replay', '--from', 'beginning');
  assert.notDeepEqual(await stage.shown(), expected, 'an old event does not rewrite an existing row');
  const look = await stage.run('replay', '--from', 'beginning', '--reapply', '--dry-run', '--json');
  assert.equal(look.json.users, 1);
  assert.notDeepEqual(await stage.shown(), expected);
  const again = await stage.run('replay', '--from', 'beginning', '--reapply', '--json');
  assert.equal(again.code, 0, again.stderr);
  assert.equal(again.json.outcomes.updated, 1);
  assert.deepEqual(await stage.shown(), expected);
});

test('replay: offsets and times limit what is read', async () => {
  const ends = await stage.kafka.ends(stage.topics.TOPIC_USER_EVENTS);
  const [partition, end] = Object.entries(ends).find(([, one]) => one > 2);
  const some = await stage.run('replay', '--topic', 'user-events', '--from', `${partition}:1`, '--to', `${partition}:${end - 1}`, '--json');
  assert.equal(some.json.read, end - 2);
  const none = await stage.run('replay', '--from', 'beginning', '--to', '2d', '--json');
  assert.equal(none.json.read, 0);
  assert.equal(none.code, 0);
});

test('replay: Ctrl-C ends after the current batch, prints how to continue, and that completes it', async () => {
  const more = Array.from({ length: 2500 }, () => eventRecord(userUpdated(renamed(users[0], 'Late'))));
  await stage.kafka.appendAll(stage.topics.TOPIC_USER_EVENTS, 0, more);
  await empty();
  await stage.database.rows(`insert into clerk_sync.user_state (clerk_id, tombstone, updated_at_ms, event_ms, event_id, body_hash, email_verified, banned, created_at_ms, document_id, blocked_by_us, mapping_hash)
                             values ($1, false, 0, 0, '', '', false, false, 0, '', false, '')`, [users[0].id]);
  const holder = await stage.database.connect();
  await holder.query('begin');
  await holder.query('select 1 from clerk_sync.user_state where clerk_id = $1 for update', [users[0].id]);
  const replay = stage.start('replay', '--from', 'beginning');
  await waitFor(async () => (await stage.database.rows(`select 1 from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`)).length > 0, {
    what: 'the replay waits for a row',
  });
  replay.signal('SIGINT');
  await holder.query('rollback');
  holder.release();
  assert.equal((await replay.exited).code, 1);
  const ways = [...replay.log().matchAll(/^to continue: +clerk-worker (.*)$/gm)].map(([, line]) => line);
  assert.ok(ways.length >= 1, replay.log());
  for (const way of ways) {
    const done = await stage.run(...way.split(' '));
    assert.equal(done.code, 0, done.stderr);
  }
  const shown = await stage.shown();
  assert.equal(shown.find(({ clerk_id: id }) => id === users[0].id).full_name, 'Late Lovelace');
  assert.deepEqual(shown.map(({ clerk_id: id }) => id), expected.map(({ clerk_id: id }) => id));
});

test('replay: wrong usage prints the fix, exit 2', async () => {
  for (const [args, expected] of [
    [['replay'], /--from/],
    [['replay', '--from', 'yesterday'], /beginning/],
    [['replay', '--from', '12'], /--topic user-events/],
    [['replay', '--from', 'beginning', '--topic', 'clerk.other'], /user-provisioning/],
    [['replay', '--from', 'beginning', '--user', 'ada'], /user_/],
  ]) {
    const { code, stdout, stderr } = await stage.run(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stdout + stderr, expected);
  }
  const help = await stage.run('replay', '--help');
  assert.equal(help.code, 0);
  assert.match(help.stdout, /Examples:/);
});
