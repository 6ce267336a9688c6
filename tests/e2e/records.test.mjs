// needs: database, kafka, strapi
// Bad records and what happens to them: a record of a hostile or broken producer is dead-lettered with its reason and delays
// no other record. Catalogue rows D1 to D11.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventRecord } from './records.mjs';
import { clerkId, clerkUser, instanceId, userCreated, userDeleted, userUpdated, waitFor } from './support.mjs';
import {
  applied, apply, assertParked, database, kafka, deadLetterAt, outcomes, partition, profiles, read, record, setUp, startAgain, topics, total, withHeaders, withText, withValue, worker,
} from './worker-stage.mjs';

before(setUp); // newSiteDatabase(), newTopics() and startWorker() of support.mjs

test('records: no value, no key or a key of another user is dead-lettered [D1, I8]', async () => {
  const stranger = clerkUser();
  await assertParked([
    ['null value', withValue(null), 'no_value'],
    ['empty value', withValue(''), 'no_value'],
    ['no key', { ...record(), key: null }, 'no_key'],
    ['empty key', { ...record(), key: '' }, 'no_key'],
    ["another user's key", { ...eventRecord(userCreated(stranger)), key: clerkId() }, 'contradictory'],
    ["another user's subject", eventRecord(userCreated(stranger), { headers: { ce_subject: clerkId() } }), 'contradictory'],
    ['a type that the body denies', eventRecord(userCreated(stranger), { headers: { ce_type: 'clerk.user.deleted' } }), 'contradictory'],
  ]);
  assert.equal(await read(stranger), null);
});

// A good user event in CloudEvents' structured mode: everything in the value.
function structured() {
  const { key, value, headers } = record();
  const { ce_id: id, ce_type: type, ce_source: source, ce_subject: subject } = headers;
  const event = { specversion: '1.0', id, type, source, subject, datacontenttype: 'application/json', data: JSON.parse(value) };
  return { key, value: JSON.stringify(event), headers: { ...headers, 'content-type': 'application/cloudevents+json; charset=utf-8' } };
}

test('records: no JSON, cut, too deep, other content types are dead-lettered [D2, I8]', async () => {
  await assertParked([
    ['not JSON', withValue('user.created'), 'not_json'],
    ['truncated', withText((text) => text.slice(0, -20)), 'not_json'],
    ['something behind it', withText((text) => `${text}x`), 'not_json'],
    ['a byte order mark', withText((text) => `\ufeff${text}`), 'not_json'],
    ['a megabyte of [', withValue('['.repeat(1_000_000)), 'too_deep'],
    ['65 levels', withText((text) => text.replace('"public_metadata":{}', `"public_metadata":${'['.repeat(65)}${']'.repeat(65)}`)), 'too_deep'],
    ['an array', withValue('[]'), 'not_an_object'],
    ['a name twice', withText((text) => text.replace('"object":"event"', '"object":"event","object":"event"')), 'duplicate_name'],
    ['text', withHeaders({ 'content-type': 'text/plain' }), 'unsupported_version'],
    ['lines of JSON', withHeaders({ 'content-type': 'application/jsonl' }), 'unsupported_version'],
    ['structured', { ...record(), headers: { 'content-type': 'application/cloudevents+json' } }, 'bad_headers'],
    ['structured, whole, under our headers', structured(), 'unsupported_version'],
    ['structured, under none', { ...structured(), headers: {} }, 'bad_headers'],
  ]);
  await assertParked([['a little less than a megabyte', withValue('['.repeat(900_000)), 'too_deep']]);
});

test('records: bad headers, unknown types and versions are dead-lettered [D3, D4, I8]', async () => {
  await assertParked([
    ...['ce_id', 'ce_type', 'ce_specversion'].map((name) => [`no ${name}`, withHeaders({ [name]: undefined }), 'bad_headers']),
    ['ce_id twice', withHeaders({ ce_id: ['msg_1', 'msg_2'] }), 'bad_headers'],
    ['ce_type twice, and the same', withHeaders({ ce_type: ['clerk.user.created', 'clerk.user.created'] }), 'bad_headers'],
    ['content-type twice', withHeaders({ 'content-type': ['application/json', 'text/plain'] }), 'bad_headers'],
    ['an oversized ce_subject', withHeaders({ ce_subject: 'x'.repeat(2000) }), 'bad_headers'],
    ['an empty ce_id', withHeaders({ ce_id: '' }), 'bad_headers'],
    ['a ce_type that is not UTF-8', withHeaders({ ce_type: Buffer.from([0xc3, 0x28]) }), 'bad_headers'],
    ['an oversized ce_id', withHeaders({ ce_id: 'x'.repeat(2000) }), 'bad_headers'],
    ['a ce_id that is not UTF-8', withHeaders({ ce_id: Buffer.from([0x6d, 0xff]) }), 'bad_headers'],
    ['70 headers', withHeaders(Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`x${i}`, 'y']))), 'bad_headers'],
    ['an unknown type of user event', withHeaders({ ce_type: 'clerk.user.promoted' }), 'unknown_type'],
    ['another source', withHeaders({ ce_type: 'com.example.user.created' }), 'unknown_type'],
    ['CloudEvents 2.0', withHeaders({ ce_specversion: '2.0' }), 'unsupported_version'],
    ['a newer schema', withHeaders({ ce_dataschema: 'urn:clerk-strapi-sync:user-event:2' }), 'unsupported_version'],
    ['a deletion of a newer schema', eventRecord(userDeleted(clerkId()), { headers: { ce_dataschema: 'urn:clerk-strapi-sync:user-event:2' } }), 'unsupported_version'],
    ['another instance', eventRecord({ ...userCreated(clerkUser()), instance_id: 'ins_another' }), 'foreign_instance'],
  ]);
  // Unknown headers are ignored.
  const user = clerkUser();
  await apply(eventRecord(userCreated(user), { headers: { 'x-trace': Buffer.from([0xff]), tracestate: 'a=b' } }));
  assert.ok(await read(user));
});

test('records: a deletion without a usable id deletes nothing [D5, I8]', async () => {
  const deletion = (data) => eventRecord({ ...userDeleted('user_x'), data: { object: 'user', deleted: true, ...data } }, { headers: { ce_subject: undefined } });
  const keyed = (data) => ({ ...deletion(data), key: 'user_x' });
  const before = await database.rows('select count(*)::int as n from up_users where clerk_id is null');
  await assertParked([
    ['no id', keyed({}), 'no_user_id'],
    ['null', keyed({ id: null }), 'no_user_id'],
    ['an operator', keyed({ id: { $ne: 'x' } }), 'no_user_id'],
    ['a number', keyed({ id: 7 }), 'no_user_id'],
    ['empty', keyed({ id: '' }), 'bad_user_id'],
    ["an organization's", { ...keyed({ id: 'org_2abc' }), key: 'org_2abc' }, 'bad_user_id'],
    ['10 KiB', keyed({ id: `user_${'a'.repeat(10_240)}` }), 'bad_user_id'],
    ['no data', { ...keyed({}), value: JSON.stringify({ type: 'user.deleted', object: 'event', timestamp: Date.now() }) }, 'no_data'],
    ['data null', { ...keyed({}), value: JSON.stringify({ type: 'user.deleted', object: 'event', data: null }) }, 'no_data'],
  ]);
  assert.deepEqual(await database.rows('select count(*)::int as n from up_users where clerk_id is null'), before);
});

test('records: no event applies after a deletion; updates may precede the creation [D6, D7, I3]', async () => {
  const gone = clerkUser();
  const later = gone.updated_at + 600_000;
  const stale = await outcomes('stale');
  assert.equal(await applied(gone, userCreated(gone), userDeleted(gone.id), userUpdated({ ...gone, updated_at: later }), userCreated(gone)), null);
  assert.equal(await outcomes('stale'), stale + 2);
  assert.equal(await applied(gone, userUpdated(gone)), null); // with the same time
  assert.equal(await outcomes('stale'), stale + 3);

  const late = clerkUser();
  assert.ok(await applied(late, userUpdated({ ...late, first_name: 'New', updated_at: late.updated_at + 1 })));
  assert.equal((await applied(late, userCreated(late))).user.full_name, 'New Lovelace');

  const never = clerkUser();
  const deleted = await outcomes('deleted');
  assert.equal(await applied(never, userDeleted(never.id)), null);
  assert.equal(await outcomes('deleted'), deleted + 1);
  assert.deepEqual(await database.rows('select tombstone from clerk_sync.user_state where clerk_id = $1', [never.id]), [{ tombstone: true }]);
  assert.equal(await applied(never, userCreated(never)), null);
  assert.equal(await outcomes('stale'), stale + 5); // the older creation above is the fourth
});

test('records: a webhook is newer than any provisioning record [I2, I3]', async () => {
  const seen = (user) => {
    const event = { type: 'user.seen', timestamp: user.updated_at + 60_000, instance_id: instanceId, data: { ...user, first_name: 'Token', updated_at: user.updated_at + 60_000 } };
    return eventRecord(event);
  };
  const snapshot = (user) => eventRecord({ type: 'user.snapshot', timestamp: user.updated_at + 1, instance_id: instanceId, data: user });
  const [met, deleted, read1] = [clerkUser(), clerkUser(), clerkUser()];
  const untilNamed = (user, name) => waitFor(async () => (await read(user))?.user.full_name === name, { what: `${name} in Strapi` });

  await kafka.appendAll(topics.TOPIC_PROVISIONING, partition, [seen(met)]);
  await untilNamed(met, 'Token Lovelace');
  assert.equal((await applied(met, userCreated(met))).user.full_name, 'Ada Lovelace');
  await applied(deleted, userDeleted(deleted.id));
  const begin = await total('clerk_worker_events_total');
  await kafka.appendAll(topics.TOPIC_PROVISIONING, partition, [seen(met), seen(deleted)]);
  await waitFor(async () => (await total('clerk_worker_events_total')) === begin + 2, { what: 'both processed' });
  assert.equal((await read(met)).user.full_name, 'Ada Lovelace');
  assert.equal(await read(deleted), null);

  await kafka.appendAll(topics.TOPIC_SNAPSHOTS, partition, [snapshot(read1), snapshot({ ...met, first_name: 'Repaired', updated_at: met.updated_at + 5 }), snapshot(deleted)]);
  await untilNamed(read1, 'Ada Lovelace');
  await untilNamed(met, 'Repaired Lovelace');
  assert.equal(await read(deleted), null);
});

test('records: a thousand copies, also in another partition, give one row [D8, I4]', async () => {
  const user = clerkUser();
  const copy = eventRecord(userCreated(user));
  const [created, duplicate] = [await outcomes('created'), await outcomes('duplicate')];
  await apply(...Array.from({ length: 1000 }, () => copy));
  assert.deepEqual([await outcomes('created'), await outcomes('duplicate')], [created + 1, duplicate + 999]);
  await kafka.appendAll(topics.TOPIC_USER_EVENTS, partition + 1, [copy, eventRecord(userUpdated({ ...user, first_name: 'Raised', updated_at: user.updated_at + 1 }))]);
  await waitFor(async () => (await read(user)).user.full_name === 'Raised Lovelace', { what: 'the other partition applied' });
  assert.equal(await outcomes('duplicate'), duplicate + 1000);
  const { roles, profiles: linked } = await read(user);
  assert.deepEqual([roles.length, linked.user_profile.length, linked.member_profile.length], [1, 1, 1]);
  assert.equal((await database.rows('select 1 from up_users where clerk_id = $1', [user.id])).length, 1);
});

test('records: seconds become milliseconds; impossible times are dead-lettered [D9, I8]', async () => {
  const at = (time) => eventRecord({ ...userCreated(clerkUser({ created_at: Date.now() - 1000, updated_at: time })), timestamp: Date.now() });
  const frozen = clerkUser();
  const hour = 3_600_000;
  await assertParked([
    ['1970', at(0), 'bad_time'],
    ['negative', at(-1), 'bad_time'],
    ['long before 1970', at(-1_750_000_000_000), 'bad_time'],
    ['the year 10000', at(253_402_300_800_000), 'bad_time'],
    ['a creation before 1970', record({}, { created_at: -1 }), 'bad_time'],
    ["the event's own time beyond an hour", eventRecord({ ...userCreated(clerkUser()), timestamp: Date.now() + hour + 60_000 }), 'version_in_future'],
    ['more than 64 bits hold', withText((text) => text.replace(/"updated_at":\d+/, '"updated_at":12345678901234567890123')), 'bad_field'],
    ['the year 9999', at(253_370_764_800_000), 'version_in_future'],
    ['beyond an hour', eventRecord(userCreated({ ...frozen, updated_at: Date.now() + hour + 60_000 })), 'version_in_future'],
    ["an hour beyond the record's own time", { ...at(Date.now() - 10_000), timestamp: String(Date.now() - 2 * hour) }, 'version_in_future'],
    ['a number that is no time', withText((text) => text.replace(/"updated_at":\d+/, '"updated_at":1e300')), 'bad_field'],
    ['text for a time', withText((text) => text.replace(/"updated_at":\d+/, '"updated_at":"now"')), 'bad_field'],
    ['an envelope of 1e300', withText((text) => text.replace(/"timestamp":\d+/, '"timestamp":1e300')), 'bad_timestamp'],
  ]);
  assert.ok(await applied(frozen, userCreated(frozen)));
  assert.equal((await applied(frozen, userUpdated({ ...frozen, first_name: 'Thawed', updated_at: frozen.updated_at + 1 }))).user.full_name, 'Thawed Lovelace');
  // A deletion is never rejected for its time.
  assert.equal(await applied(frozen, userDeleted(frozen.id, Date.now() + 1000 * hour)), null);
  for (const time of [253_370_764_800_000, 0, -1]) {
    const user = clerkUser();
    assert.ok(await applied(user, userCreated(user)));
    assert.equal(await applied(user, { ...userDeleted(user.id), timestamp: time }), null, String(time));
  }

  const seconds = Math.floor(Date.now() / 1000);
  const user = clerkUser({ updatedAt: seconds, created_at: seconds });
  const { user: row } = await applied(user, userCreated(user, seconds));
  assert.equal(Date.parse(`${row.created_at}Z`), seconds * 1000);
});

test('records: records of an aborted transaction are not read [D10]', async () => {
  const aborted = clerkUser();
  await kafka.appendAborted(topics.TOPIC_USER_EVENTS, [{ ...eventRecord(userCreated(aborted)), partition }]);
  const behind = clerkUser();
  assert.ok(await applied(behind, userCreated(behind)));
  assert.equal(await read(aborted), null);
});

test('dead letter: holds the original key, value and headers, and its offset', async () => {
  const poison = record({ headers: { ce_specversion: '2.0', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } });
  const [offset] = await apply(poison, record());
  const deadLetter = await deadLetterAt(offset);
  assert.deepEqual([deadLetter.key, deadLetter.value], [poison.key, poison.value]);
  for (const [name, value] of Object.entries(poison.headers)) assert.equal(deadLetter.headers[name], value, name);
  const { dlq_reason, dlq_topic, dlq_partition, dlq_attempts, dlq_time } = deadLetter.headers;
  assert.deepEqual([dlq_reason, dlq_topic, dlq_partition, dlq_attempts], ['unsupported_version', topics.TOPIC_USER_EVENTS, String(partition), '1']);
  assert.ok(Math.abs(Date.parse(dlq_time) - Date.now()) < 10_000);
});

test('records: a record that the database rejects is dead-lettered alone [I8]', async () => {
  await database.rows("alter table up_users add constraint no_mallory check (username <> 'mallory')");
  const users = Array.from({ length: 20 }, (_, i) => clerkUser(i === 7 ? { username: 'mallory' } : {}));
  const offsets = await apply(...users.map((user) => eventRecord(userCreated(user))));
  assert.equal((await deadLetterAt(offsets[7])).headers.dlq_reason, 'refused_by_database');
  for (const [i, user] of users.entries()) assert.equal((await read(user)) !== null, i !== 7);
  await database.rows('alter table up_users drop constraint no_mallory');
});

test('records: many bad records in a row pause the worker, which then continues [F25, I8, I9]', async () => {
  const poison = Array.from({ length: 12 }, () => withValue('not JSON'));
  const good = clerkUser();
  const applying = apply(...poison, eventRecord(userCreated(good)));
  await waitFor(async () => (await total('clerk_worker_paused', { cause: 'poison_storm' })) === 1, { what: 'paused for a poison storm', everyMs: 5 });
  const offsets = await applying;
  for (const offset of offsets.slice(0, -1)) assert.equal((await deadLetterAt(offset)).headers.dlq_reason, 'not_json');
  assert.ok(await read(good));
  await waitFor(async () => (await total('clerk_worker_paused')) === 0, { what: 'no pause' });
});

test('records: after expired events the worker continues at the oldest record, not the end [D11]', async () => {
  const [lost, oldest, newest] = [clerkUser(), clerkUser(), clerkUser()];
  assert.equal((await worker.stop()).code, 0);
  const offsets = await kafka.appendAll(topics.TOPIC_USER_EVENTS, partition, [lost, oldest, newest].map((user) => eventRecord(userCreated(user))));
  await kafka.forgetBefore(topics.TOPIC_USER_EVENTS, partition, offsets[1]);
  await startAgain();
  await waitFor(async () => (await read(oldest)) && read(newest), { what: 'the records that are still there' });
  assert.equal(await read(lost), null);
  const breaks = { topic: topics.TOPIC_USER_EVENTS, kind: 'truncated' };
  await waitFor(async () => (await total('clerk_worker_offset_gaps_total', breaks)) === 1, { what: 'the break counted' });
  assert.match(worker.log(), /Kafka dropped events before they were applied: run `clerk-worker backfill`, then `reconcile`/);
  assert.equal(await total('clerk_worker_events_total'), 2);
});
