// One worker on a site of its own, which gets records directly: the set-up of records.test.mjs and contents.test.mjs.

import assert from 'node:assert/strict';
import { connectKafka, eventRecord } from './records.mjs';
import { clerkUser, command, instanceId, newSiteDatabase, newTopics, readUser, startWorker, userCreated, waitFor } from './support.mjs';

export const profiles = 'api::user-profile.user-profile,api::member-profile.member-profile';
export const partition = 3; // one for all: records are processed in this order

export let database;
export let topics;
export let kafka;
export let worker;
let deadLetters;
let configured = profiles; // the profile types that workers of this file are started with

export const workerOn = (variables, more = {}, options = {}) =>
  startWorker({ ...variables, DATABASE_URL: database.url, STRAPI_PROFILE_CONTENT_TYPES: configured, CLERK_INSTANCE_IDS: instanceId, ...more }, options);

// A site with one local user, and a worker on topics of its own. The test file requests the servers.
export async function setUp(_context, { profileTypes = profiles } = {}) {
  configured = profileTypes;
  [database, topics, kafka] = await Promise.all([newSiteDatabase(), newTopics(), connectKafka()]);
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  await database.rows(`insert into up_users (document_id, username, email, provider, confirmed, blocked, created_at, updated_at, published_at)
                       values ('local456789012345678901234', 'local', 'local@example.com', 'local', true, false, now(), now(), now())`);
  [worker, deadLetters] = await Promise.all([workerOn(topics), kafka.follow(topics.TOPIC_DEAD_LETTERS)]);
}

export async function startAgain(more = {}) {
  worker = await workerOn(topics, more);
}

export const read = (user) => readUser(database, user.id, ['user_profile', 'member_profile']);
export const total = async (name, labels) => (await worker.metrics()).value(name, labels);
export const outcomes = (outcome) => total('clerk_worker_events_total', { outcome });

// Sends records in order and waits until the worker has processed all of them.
export async function apply(...records) {
  const begin = await total('clerk_worker_events_total');
  const offsets = await kafka.appendAll(topics.TOPIC_USER_EVENTS, partition, records);
  await waitFor(async () => (await total('clerk_worker_events_total')) === begin + records.length, { what: `${records.length} records processed`, deadlineMs: 20_000 });
  return offsets;
}

// The same for the events of one user; returns the user's rows.
export async function applied(user, ...envelopes) {
  await apply(...envelopes.map((one) => eventRecord(one)));
  return read(user);
}

export const deadLetterAt = (offset) =>
  waitFor(() => deadLetters.find(({ headers }) => headers.dlq_topic === topics.TOPIC_USER_EVENTS && headers.dlq_offset === String(offset)), { what: `the dead letter of offset ${offset}` });

// Exact effects of dead letters, before and after: each reason's counter, users, their states, dead letters.
async function accounts(reasons) {
  const [rows] = await database.rows('select (select count(*)::int from up_users) as users, (select count(*)::int from clerk_sync.user_state) as states');
  const counted = await Promise.all(reasons.map((reason) => total('clerk_worker_dead_letters_total', { reason })));
  return { ...rows, ...Object.fromEntries(reasons.map((reason, i) => [reason, counted[i]])), parked: await outcomes('parked'), deadLetters: deadLetters.length };
}

const textOf = (value) => (Array.isArray(value) ? value.map(textOf) : Buffer.from(value ?? '').toString('utf8'));

// A dead letter is the original record plus the reason; a null value is an empty one there, and so is one too large for the
// producer's limit together with the reason: its headers then name its offset.
const deadLetterBytesMax = 1_000_000;
function assertDeadLetter(deadLetter, original, reason, what) {
  assert.equal(deadLetter.headers.dlq_reason, reason, what);
  assert.equal(deadLetter.key, original.key, `${what}: key`);
  const whole = textOf(original.value);
  assert.ok(deadLetter.value === (whole.length < deadLetterBytesMax ? whole : ''), `${what}: value`);
  const own = Object.fromEntries(Object.entries(deadLetter.headers).filter(([name]) => !name.startsWith('dlq_')));
  assert.deepEqual(own, Object.fromEntries(Object.entries(original.headers).map(([name, value]) => [name, textOf(value)])), `${what}: headers`);
}

// Each case is [what, record, reason]; after each comes a good record, which must be applied, and nothing else is.
export async function assertParked(cases) {
  const good = cases.map(() => clerkUser());
  const reasons = cases.map(([, , reason]) => reason);
  const expected = await accounts(reasons);
  const offsets = await apply(...cases.flatMap(([, record], i) => [record, eventRecord(userCreated(good[i]))]));
  for (const [i, [what, original, reason]] of cases.entries()) {
    assertDeadLetter(await deadLetterAt(offsets[2 * i]), original, reason, what);
    assert.ok(await read(good[i]), `the record behind "${what}" was not applied`);
    expected[reason] += 1;
  }
  for (const one of ['users', 'states', 'parked', 'deadLetters']) expected[one] += cases.length;
  assert.deepEqual(await accounts(reasons), expected);
  assert.equal(await total('clerk_worker_paused'), 0);
}

export const record = (more, data) => eventRecord(userCreated(clerkUser(data)), more);
export const withValue = (value) => ({ ...record(), value });
export const withText = (change) => {
  const one = record();
  return { ...one, value: change(one.value) };
};
export const withHeaders = (headers) => record({ headers });
