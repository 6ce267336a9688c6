// needs: database, kafka
// `clerk-worker dlq`: dead letters are listed, shown, redriven and closed; the gauge counts the open ones.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setUp } from './operator-stage.mjs'; // newTopics() and startWorker() of support.mjs
import { eventRecord } from './records.mjs';
import { clerkUser, command, instanceId, sendWebhook, startIngest, userCreated, waitFor, webhookSecret } from './support.mjs';

const foreign = 'ins_2another';
let stage;
let worker;

const other = clerkUser({ email: 'grace@example.com' });
const fromOther = { ...userCreated(other), instance_id: foreign };
const gaugeShows = (wanted) =>
  waitFor(
    async () => {
      const open = (await worker.metrics()).value('clerk_worker_dead_letters_open');
      assert.equal(open, wanted);
      return true;
    },
    { what: `the gauge of open dead letters shows ${wanted}`, deadlineMs: 20_000 },
  );
const list = async (...more) => (await stage.run('dlq', 'list', '--json', ...more)).json.dead_letters;
const byReason = async (reason, ...more) => (await list(...more)).filter((one) => one.reason === reason);

before(async () => {
  stage = await setUp();
  worker = await stage.worker();
  await stage.kafka.append(stage.topics.TOPIC_USER_EVENTS, eventRecord(fromOther));
  await stage.kafka.append(stage.topics.TOPIC_USER_EVENTS, { ...eventRecord(userCreated(clerkUser())), value: '\u001b[2Jnot JSON' });
  await stage.kafka.append(stage.topics.TOPIC_USER_EVENTS, eventRecord(userCreated(clerkUser()), { headers: { ce_type: 'clerk.user.promoted' } }));
  await stage.settled();
});

test('dlq list: shows open dead letters by reason, time and user; exit 3 while there are any', async () => {
  const all = await stage.run('dlq', 'list', '--json');
  assert.equal(all.code, 3);
  assert.deepEqual(all.json.dead_letters.map(({ reason }) => reason).sort(), ['foreign_instance', 'not_json', 'unknown_type']);
  assert.equal(all.json.open_in_topic, 3);
  assert.deepEqual((await list('--user', other.id)).map(({ reason }) => reason), ['foreign_instance']);
  assert.equal((await list('--reason', 'not_json', '--reason', 'unknown_type')).length, 2);
  assert.equal((await list('--since', '1h')).length, 3);
  assert.equal((await list('--until', '1h')).length, 0);
  const table = await stage.run('dlq', 'list');
  assert.match(table.stdout, new RegExp(`ID +PARKED +REASON[^]*foreign_instance +${other.id} +${stage.topics.TOPIC_USER_EVENTS} \\d+-\\d+`));
  const none = await stage.run('dlq', 'list', '--user', clerkUser().id);
  assert.equal(none.code, 0);
  await gaugeShows(3);
});

test('dlq show: prints a record with its headers, masked unless --reveal [I6]', async () => {
  const [{ id }] = await byReason('foreign_instance');
  const hidden = await stage.run('dlq', 'show', id);
  assert.equal(hidden.code, 0, hidden.stderr);
  assert.match(hidden.stdout, /dlq_reason: foreign_instance/);
  assert.match(hidden.stdout, new RegExp(`"id": "${other.id}"`));
  assert.doesNotMatch(hidden.stdout, /grace|Ada|Lovelace/);
  assert.match((await stage.run('dlq', 'show', `${stage.topics.TOPIC_DEAD_LETTERS}-${id}`, '--reveal')).stdout, /grace@example\.com/);
  const [broken] = await byReason('not_json');
  assert.match((await stage.run('dlq', 'show', broken.id)).stdout, /bytes that are not usable JSON/);
  assert.equal((await stage.run('dlq', 'show', '0-99999')).code, 1);
});

test('dlq redrive: reports each result; applies records once the configuration is correct [I2]', async () => {
  const inVain = await stage.run('dlq', 'redrive', '--every', '--json');
  assert.equal(inVain.code, 3);
  assert.deepEqual([inVain.json.published, inVain.json.still_unusable], [0, 3]);
  await worker.stop();
  stage.variables.CLERK_INSTANCE_IDS = `${instanceId},${foreign}`;
  worker = await stage.worker();
  const done = await stage.run('dlq', 'redrive', '--reason', 'foreign_instance');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /published to .*user-events/);
  await stage.settled();
  assert.ok((await stage.shown()).some(({ clerk_id: id }) => id === other.id));
  assert.equal((await list()).length, 2);
  assert.deepEqual((await byReason('foreign_instance', '--all')).map(({ state }) => state), ['redriven']);
  await gaugeShows(2);
  const again = await stage.run('dlq', 'redrive', '--reason', 'foreign_instance', '--json');
  assert.deepEqual([again.code, again.json.published], [0, 0]);
});

test('dlq redrive: a webhook that ingest dead-lettered is decided by the current code', async () => {
  const late = clerkUser();
  const ingest = await startIngest({ ...stage.topics, CLERK_INSTANCE_IDS: 'ins_2elsewhere' });
  assert.equal((await sendWebhook(ingest.url, webhookSecret, { body: userCreated(late) })).status, 200);
  assert.equal((await sendWebhook(ingest.url, webhookSecret, { body: '[]' })).status, 200);
  await ingest.stop();
  const parked = await list('--since', '5m').then((all) => all.filter(({ from }) => from === 'webhook'));
  assert.equal(parked.length, 2, JSON.stringify(parked));
  const { code, json } = await stage.run('dlq', 'redrive', ...parked.map(({ id }) => id), '--json');
  assert.equal(code, 3);
  assert.deepEqual([json.published, json.still_unusable], [1, 1]);
  await stage.settled();
  assert.ok((await stage.shown()).some(({ clerk_id: id }) => id === late.id));
});

test('dlq: a too large record keeps its body in its topic, redrive reads it there [I7, I8]', async () => {
  const producerLimit = 1_000_000; // librdkafka's message.max.bytes, and ours
  const room = 150; // for a record's own overhead, without the headers that hold the reason
  const [large, third] = [clerkUser(), 'ins_2third'];
  const envelope = (note) => ({ ...userCreated({ ...large, private_metadata: { note } }), instance_id: third });
  const size = ({ key, value, headers }) => [key, value, ...Object.entries(headers).flat()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const id = 'msg_large';
  const record = eventRecord(envelope('x'.repeat(producerLimit - room - size(eventRecord(envelope(''), { id })))), { id });
  assert.equal(size(record), producerLimit - room);
  await stage.kafka.append(stage.topics.TOPIC_USER_EVENTS, record);
  await stage.settled();
  const [deadLetter] = await byReason('foreign_instance', '--user', large.id);
  const shown = await stage.run('dlq', 'show', deadLetter.id);
  assert.match(shown.stdout, /too large .* original record is at .*user-events/);
  await worker.stop();
  stage.variables.CLERK_INSTANCE_IDS += `,${third}`;
  worker = await stage.worker();
  const done = await stage.run('dlq', 'redrive', deadLetter.id, '--json');
  assert.deepEqual([done.code, done.json.published], [0, 1], done.stderr);
  await stage.settled();
  assert.ok((await stage.shown()).some(({ clerk_id: one }) => one === large.id));
});

test('dlq discard: closes the named dead letters and no others', async () => {
  const [{ id }] = await byReason('not_json');
  const before = (await list()).length;
  const { code, stdout } = await stage.run('dlq', 'discard', id);
  assert.equal(code, 0);
  assert.match(stdout, /1 discarded/);
  assert.equal((await list()).length, before - 1);
  assert.deepEqual((await list('--all')).find((one) => one.id === id).state, 'discarded');
});

test('dlq redrive: after Ctrl-C the same command continues, nothing is lost', async () => {
  const users = Array.from({ length: 40 }, () => clerkUser());
  await stage.kafka.appendAll(stage.topics.TOPIC_DEAD_LETTERS, 0, users.map((user) =>
    eventRecord(userCreated(user), { headers: { dlq_reason: 'bad_time', dlq_detail: '', dlq_topic: stage.topics.TOPIC_USER_EVENTS, dlq_partition: '0', dlq_offset: '0', dlq_attempts: '1', dlq_time: new Date().toISOString() } })));
  const marked = async () => (await stage.database.rows(`select count(*)::int as n from clerk_sync.dead_letter_mark where mark = 'redriven'`))[0].n;
  const begin = await marked();
  const holder = await stage.database.connect();
  await holder.query('begin');
  await holder.query('lock table clerk_sync.dead_letter_mark in share row exclusive mode');
  const redrive = stage.start('dlq', 'redrive', '--reason', 'bad_time');
  await waitFor(async () => (await stage.database.rows('select 1 from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())')).length > 0, { what: 'the command waits for its mark' });
  redrive.signal('SIGINT');
  await holder.query('rollback');
  holder.release();
  assert.equal((await redrive.exited).code, 1, redrive.log());
  assert.equal((await marked()) - begin, 1);
  assert.match(redrive.log(), /run the same command again/);
  const rest = await stage.run('dlq', 'redrive', '--reason', 'bad_time', '--json');
  assert.deepEqual([rest.code, rest.json.published], [0, 39]);
  await stage.settled();
  const shown = new Set((await stage.shown()).map(({ clerk_id: id }) => id));
  assert.ok(users.every(({ id }) => shown.has(id)));
});

test('dlq: wrong usage prints the fix, exit 2', async () => {
  for (const [args, expected] of [
    [['dlq'], /subcommand/i],
    [['dlq', 'redrive'], /--every/],
    [['dlq', 'discard'], /--every/],
    [['dlq', 'show'], /name a dead letter/],
    [['dlq', 'show', 'x'], /3-120/],
    [['dlq', 'list', '--since', 'lately'], /2h/],
  ]) {
    const { code, stdout, stderr } = await stage.run(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stdout + stderr, expected);
  }
  const unreachable = await command('clerk-worker', ['dlq', 'list'], { ...stage.variables, DATABASE_URL: 'postgres://unknown@127.0.0.1:1/nothing' });
  assert.equal(unreachable.code, 1);
  assert.match(unreachable.stderr, /database/);
});
