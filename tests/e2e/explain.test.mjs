// needs: database, kafka
// `clerk-worker user` and `status`: the state of one user, and what needs an operator.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { startClerk } from './clerk-stand-in.mjs';
import { setUp } from './operator-stage.mjs'; // newTopics() and startWorker() of support.mjs
import { eventRecord } from './records.mjs';
import { clerkUser, command, instanceId, userCreated, userDeleted, userUpdated, waitFor } from './support.mjs';

let stage;
let worker;
const ada = clerkUser({ email: 'ada@example.com' });
const gone = clerkUser({ email: 'gone@example.com', first_name: 'Grace' });
const deletion = userDeleted(gone.id, Date.now() - 60_000);

before(async () => {
  stage = await setUp();
  worker = await stage.worker();
});

test('status: prints nothing to do for a site without backlog', async () => {
  const { code, json, stderr } = await stage.run('status', '--json', '--admin', worker.adminUrl);
  assert.equal(code, 0, stderr + JSON.stringify(json?.attention));
  assert.deepEqual(json.attention, []);
  assert.equal(json.worker.ready, true);
  assert.match((await stage.run('status')).stdout, /nothing to do/);
});

test('user: prints state, rows, and each event with its decision, masked [I6]', async () => {
  const newer = { ...ada, first_name: 'Augusta', updated_at: ada.updated_at + 5 };
  await stage.publish([userCreated(ada), userUpdated(newer), userCreated(gone), deletion]);
  await stage.kafka.append(stage.topics.TOPIC_USER_EVENTS, eventRecord({ ...userCreated(ada), instance_id: 'ins_2another' }));
  await stage.settled();
  const { code, json, stderr } = await stage.run('user', ada.id, '--json');
  assert.equal(code, 3, stderr);
  assert.equal(json.state.updated_at_ms, newer.updated_at);
  assert.equal(json.strapi.email, 'a…@e….com');
  assert.doesNotMatch(JSON.stringify(json), /ada@|Augusta|Lovelace/);
  assert.equal(json.profiles['api::user-profile.user-profile'].length, 1);
  assert.deepEqual(json.roles.map(({ type }) => type), ['authenticated']);
  assert.deepEqual(json.events.map(({ verdict }) => verdict), ['older', 'applied: this is the current state', 'unusable: foreign_instance']);
  assert.deepEqual(json.dead_letters.map(({ reason }) => reason), ['foreign_instance']);
  assert.match((await stage.run('user', ada.id, '--reveal')).stdout, /strapi\.email +ada@example\.com/);
  const deleted = await stage.run('user', gone.id, '--json');
  assert.equal(deleted.json.state.tombstone, true);
  assert.equal(deleted.json.strapi, null);
  assert.match(deleted.json.events[0].verdict, /deleted/);
});

test('status: prints lag, open dead letters and an unready worker, exit 3', async () => {
  await worker.stop();
  await stage.publish([userCreated(clerkUser())]);
  const { code, json, stdout } = await stage.run('status', '--json', '--admin', worker.adminUrl);
  assert.equal(code, 3, stdout);
  assert.equal(json.topics.find(({ name }) => name === stage.topics.TOPIC_USER_EVENTS).lag, 1);
  assert.deepEqual(json.dead_letters.by_reason, { foreign_instance: 1 });
  assert.equal(json.attention.length, 2, JSON.stringify(json.attention));
  assert.match(json.attention[1], /does not answer/);
  worker = await stage.worker();
  await stage.settled();
});

test('status: finds events that expired before they were read; the worker counts it [D11]', async () => {
  const [{ partition, value }] = await stage.database.rows('select partition, value::int from clerk_sync.next_offset where topic = $1 and value > 1 limit 1', [stage.topics.TOPIC_USER_EVENTS]);
  await worker.stop();
  await stage.database.rows('update clerk_sync.next_offset set value = 0 where topic = $1 and partition = $2', [stage.topics.TOPIC_USER_EVENTS, partition]);
  await stage.kafka.forgetBefore(stage.topics.TOPIC_USER_EVENTS, partition, value - 1);
  const { code, json } = await stage.run('status', '--json');
  assert.equal(code, 3);
  assert.match(json.attention.join('\n'), /retention .* backfill/);
  worker = await stage.worker();
  await stage.settled();
  const breaks = { topic: stage.topics.TOPIC_USER_EVENTS, kind: 'truncated' };
  await waitFor(async () => (await worker.metrics()).value('clerk_worker_offset_gaps_total', breaks) === 1, { what: 'the break counted' });
  assert.match(worker.log(), /Kafka dropped events before they were applied/);
});

test('user --revive: needs the user in Clerk; the old deletion stays stale [I3]', async () => {
  const clerk = await startClerk();
  clerk.behave = async (path) => (path === '/v1/instance' ? { status: 200, body: { object: 'instance', id: instanceId } } : null);
  const revive = () => command('clerk-worker', ['user', gone.id, '--revive'], { ...stage.variables, ...clerk.settings });
  const refused = await revive();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /tombstone stays/);

  clerk.users.set(gone.id, { ...gone, first_name: 'Again', updated_at: Date.now() });
  const done = await revive();
  assert.equal(done.code, 0, done.stderr);
  const row = async () => (await stage.database.rows('select full_name from up_users where clerk_id = $1', [gone.id]))[0];
  await waitFor(async () => (await row())?.full_name === 'Again Lovelace', { what: 'the user is back' });
  await stage.publish([deletion]);
  await stage.settled();
  assert.ok(await row(), 'the deletion that was lifted is stale');
  await stage.publish([userDeleted(gone.id, Date.now())]);
  await stage.settled();
  assert.equal(await row(), undefined, 'a new deletion counts');

  clerk.behave = async (path) => (path === '/v1/instance' ? { status: 200, body: { object: 'instance', id: 'ins_2another' } } : null);
  const wrong = await revive();
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /CLERK_INSTANCE_IDS/);
});

test('user --revive: unblocks the row that DELETE_POLICY=block kept, under its id', async () => {
  await worker.stop();
  worker = await stage.worker({ DELETE_POLICY: 'block' });
  const user = clerkUser({ email: 'blocked@example.com', username: 'blocked' });
  const row = async () => (await stage.database.rows('select id, email, username, provider, blocked from up_users where clerk_id = $1', [user.id]))[0];
  await stage.publish([userCreated(user)]);
  await stage.settled();
  const { id } = await row();
  await stage.publish([userDeleted(user.id, user.updated_at + 1)]);
  await stage.settled();
  assert.deepEqual(await row(), { id, email: `${user.id}@clerk.user`, username: user.id, provider: 'clerk-deleted', blocked: true });

  const clerk = await startClerk();
  clerk.behave = async (path) => (path === '/v1/instance' ? { status: 200, body: { object: 'instance', id: instanceId } } : null);
  clerk.users.set(user.id, { ...user, updated_at: user.updated_at + 2 });
  const done = await command('clerk-worker', ['user', user.id, '--revive', '--json'], { ...stage.variables, ...clerk.settings });
  assert.equal(done.code, 0, done.stderr);
  assert.equal(JSON.parse(done.stdout).revived, user.id);
  await waitFor(async () => (await row()).blocked === false, { what: 'the user is unblocked' });
  assert.deepEqual(await row(), { id, email: 'blocked@example.com', username: 'blocked', provider: 'clerk', blocked: false });
});

test('user: wrong usage prints the fix, exit 2', async () => {
  for (const [args, expected] of [
    [['user'], /clerk-id/],
    [['user', 'ada'], /user_/],
    [['user', ada.id, '--revive'], /CLERK_SECRET_KEY/],
    [['status', '--admin', 'localhost'], /http:/],
  ]) {
    const { code, stdout, stderr } = await stage.run(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stdout + stderr, expected);
  }
});
