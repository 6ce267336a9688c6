// needs: database, kafka
// Every kind of bad webhook, on the running program and the real Kafka: one row each, with the exact status
// and problem, the one counter that increases, and what reached the topics, to the last header of the record.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, test } from 'node:test';
import { assertNoCors, assertRefused, exchange, requestBytes, watchMoves, withinASecond } from './exact-answers.mjs';
import { assertWellFormed, assertWithout, lineComes } from './log-lines.mjs';
import { connectKafka } from './records.mjs';
import { clerkUser, instanceId, newTopics, startIngest, uniqueName, userCreated, userDeleted, userUpdated, waitFor, Webhook, webhookSecret } from './support.mjs';

const bodyBytesMax = 768 * 1024;
const keyBytes = Buffer.from(webhookSecret.slice('whsec_'.length), 'base64');
const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=';

let topics;
let ingest;
let watch;
let events;
let deadLetters;

before(async () => {
  const [made, kafka] = await Promise.all([newTopics({ partitions: 3 }), connectKafka()]);
  topics = made;
  [ingest, events, deadLetters] = await Promise.all([
    startIngest({ ...topics, CLERK_INSTANCE_IDS: instanceId, LOG_LEVEL: 'debug' }),
    kafka.follow(topics.TOPIC_USER_EVENTS),
    kafka.follow(topics.TOPIC_DEAD_LETTERS),
  ]);
  watch = await watchMoves(ingest, kafka, { events: topics.TOPIC_USER_EVENTS, deadLetters: topics.TOPIC_DEAD_LETTERS });
});

// --- deliveries

const seconds = (offset = 0) => String(Math.floor(Date.now() / 1000) + offset);
const envelope = userCreated(clerkUser());
const good = JSON.stringify(envelope);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

// Signs any text; svix's own library signs only what it would send.
const signature = (id, time, body, key = keyBytes) =>
  `v1,${createHmac('sha256', key).update(Buffer.from(`${id}.${time}.`, 'latin1')).update(body).digest('base64')}`;

// A delivery as Clerk sends it, except for what a row changes: signed over `signed`, then headers replaced (undefined:
// left out), then more of them added.
function delivery({ id = uniqueName('msg'), time = seconds(), body = good, signed = {}, key, headers = {}, more = [] } = {}) {
  const of = { id, time, body, ...signed };
  const three = { 'svix-id': id, 'svix-timestamp': time, 'svix-signature': signature(of.id, of.time, of.body, key), ...headers };
  const kept = Object.entries(three).filter(([, value]) => value !== undefined);
  return { method: 'POST', route: '/webhooks/clerk', id, time, body, headers: [...kept, ['traceparent', traceparent], ...more] };
}

const bytesOf = ({ method, route, headers, body }) => requestBytes(method, route, headers, body);

// --- what a row expects

const webhooks = (outcome, type = 'unknown') => ({ [`webhooks_total{outcome="${outcome}",type="${type}"}`]: 1 });
const authentic = { 'secret_used_total{slot="0"}': 1 };
const refused = (status, problem, outcome, more = {}) => ({ status, problem, counters: outcome ? webhooks(outcome) : {}, ...more });
const malformed = (problem = 'malformed_header', more = {}) => refused(400, problem, 'malformed', more);
const notAuthentic = refused(401, 'not_authentic', 'unauthentic');
const expired = refused(401, 'expired', 'expired');
// By the HTTP layer: without a readable head the path is unknown.
const byHttp = (problem, counters = {}) => ({ counters: { [`http_refused_total{reason="${problem}"}`]: 1, ...counters }, closes: true });
const unreadable = refused(400, 'bad_request', null, byHttp('bad_request'));
const headTooLarge = refused(431, 'headers_too_large', null, byHttp('headers_too_large'));
const tooLarge = refused(413, 'too_large', null, byHttp('too_large', webhooks('too_large')));
const ignored = { status: 200, counters: { ...webhooks('ignored', 'other'), ...authentic } };
const accepted = (type = 'user.created', counters = {}) => ({ status: 200, counters: { ...webhooks('accepted', type), ...authentic, ...counters }, stored: 'events' });
const parked = (reason, type = 'unknown') => ({ status: 200, counters: { ...webhooks('parked', type), ...authentic }, stored: 'deadLetters', reason });

// The one new record with this id.
async function arrival(followed, id, copies) {
  const all = () => followed.filter(({ headers }) => headers.ce_id === id);
  await waitFor(() => all().length >= copies, { what: `record ${copies} of ${id}` });
  assert.equal(all().length, copies);
  return all().at(-1);
}

const describesUser = ({ type, data, instance_id: instance }) => ({
  ce_source: `/clerk/${instance}`, ce_type: `clerk.${type}`, ce_subject: data.id, ce_dataschema: 'urn:clerk-strapi-sync:user-event:1',
});

// All of a record: key, value, and each header and no other.
function assertRecord(record, sent, { stored, reason }) {
  const readable = stored === 'events' || reason === 'foreign_instance';
  const says = readable ? JSON.parse(sent.body) : null;
  const common = { ce_specversion: '1.0', ce_id: sent.id, 'content-type': 'application/json', traceparent, ...(says && describesUser(says)) };
  const parkedHere = stored === 'events' ? {} : { dlq_reason: reason, dlq_topic: 'webhook', dlq_partition: '-1', dlq_offset: '-1', dlq_attempts: '1' };
  const { ce_time: time, dlq_time: parkedAt, dlq_detail: detail, ...rest } = record.headers;
  assert.deepEqual(rest, { ...common, ...parkedHere });
  assert.equal(Date.parse(time), says?.timestamp ?? Number(sent.time) * 1000);
  assert.equal(parkedAt !== undefined, stored === 'deadLetters');
  assert.equal(Boolean(detail), stored === 'deadLetters');
  if (parkedAt) assert.ok(Math.abs(Date.parse(parkedAt) - Date.now()) < 60_000, parkedAt);
  assert.equal(record.key, says ? says.data.id : null);
  assert.equal(record.value, Buffer.from(sent.body).toString('utf8'));
}

// Sends it, and compares everything that changed with what is expected. `copies`: how many records the id then has.
async function check(sent, expected, copies = 1) {
  const answer = await exchange(ingest, sent.bytes ?? bytesOf(sent), expected);
  const { counters, records } = await watch.moved(); // at once, so that a failing row fails alone
  if (expected.problem) assertRefused(answer, expected.status, expected.problem);
  else assert.deepEqual([answer.status, answer.body], [200, '{"received":true}'], answer.body);
  assertNoCors(answer);
  if (expected.closes) assert.equal(answer.headers.connection, 'close');
  assert.deepEqual(counters, expected.counters);
  assert.deepEqual(records, expected.stored ? { [expected.stored]: 1 } : {});
  if (expected.stored) assertRecord(await arrival(expected.stored === 'events' ? events : deadLetters, sent.id, copies), sent, expected);
  return answer;
}

test("webhook: this file's signatures equal those of the official library", () => {
  const at = new Date(1_700_000_000_000);
  assert.equal(signature('msg_1', '1700000000', good), new Webhook(webhookSecret).sign('msg_1', at, good));
});

// --- headers

const names = ['svix-id', 'svix-timestamp', 'svix-signature'];
const blanks = [[undefined, 'left out'], ['', 'empty'], ['   ', 'of spaces'], ['\t', 'of a tab'], [' \t ', 'of both']];
for (const name of names)
  for (const [value, what] of blanks)
    test(`webhook: ${name} ${what} is 400 that names only it, nothing is published [A1]`, async () => {
      const answer = await check(delivery({ headers: { [name]: value } }), malformed('missing_header'));
      assert.deepEqual(names.filter((one) => answer.body.includes(one)), [name]);
    });

test('webhook: without all three headers the response names all three [A1]', async () => {
  const answer = await check(delivery({ headers: Object.fromEntries(names.map((name) => [name, undefined])) }), malformed('missing_header'));
  assert.deepEqual(names.filter((name) => answer.body.includes(name)), names);
});

const withSignature = (change) => () => {
  const [id, time] = [uniqueName('msg'), seconds()];
  return delivery({ id, time, headers: { 'svix-signature': change(signature(id, time, good), id, time) } });
};
const changedAt = (text, place) => text.slice(0, place) + (text[place] === 'A' ? 'B' : 'A') + text.slice(place + 1);
const signedOver = (signed, more = {}) => () => delivery({ signed, ...more });
const bodyAfterSigning = (change) => () => delivery({ body: change(good), signed: { body: good } });
const reserialised = (text) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).reverse()));
const timed = (time, expected, what, row = 'A6') => ({ row, what, make: () => delivery({ time }), expected });
const named = (id, expected, what) => ({ row: 'A7', what, make: () => delivery({ id }), expected });

const headerRows = [
  { row: 'A2', what: 'a signature with another secret', make: () => delivery({ key: 'another secret than the one configured' }), expected: notAuthentic },
  { row: 'A2', what: 'a signature with its first character changed', make: withSignature((one) => changedAt(one, 3)), expected: notAuthentic },
  { row: 'A2', what: 'a signature with its last character changed', make: withSignature((one) => changedAt(one, one.length - 2)), expected: notAuthentic },
  { row: 'A2', what: 'a signature cut by one', make: withSignature((one) => one.slice(0, -1)), expected: notAuthentic },
  { row: 'A2', what: 'a signature cut to eight characters', make: withSignature((one) => one.slice(0, 8)), expected: notAuthentic },
  { row: 'A2', what: 'nothing after v1,', make: withSignature(() => 'v1,'), expected: notAuthentic },
  { row: 'A2', what: 'another version alone', make: withSignature((one) => `v2${one.slice(2)}`), expected: notAuthentic },
  { row: 'A2', what: 'a version in capitals', make: withSignature((one) => `V1${one.slice(2)}`), expected: notAuthentic },
  { row: 'A2', what: 'a good signature among bad ones', make: withSignature((one) => `v1,AAAA v2${one.slice(2)} ${one} v1,`), expected: accepted() },

  { row: 'A3', what: 'one byte of the body changed', make: bodyAfterSigning((body) => body.replace('user_2', 'user_3')), expected: notAuthentic },
  { row: 'A3', what: 'a space put into the body', make: bodyAfterSigning((body) => body.replace(':', ': ')), expected: notAuthentic },
  { row: 'A3', what: 'a newline put behind the body', make: bodyAfterSigning((body) => `${body}\n`), expected: notAuthentic },
  { row: 'A3', what: 'a body written again by another JSON library', make: bodyAfterSigning(reserialised), expected: notAuthentic },
  { row: 'A3', what: 'the body left out', make: bodyAfterSigning(() => ''), expected: notAuthentic },

  { row: 'A4', what: 'the id of another delivery', make: signedOver({ id: 'msg_of_another' }), expected: notAuthentic },
  { row: 'A4', what: 'the time of another delivery', make: () => delivery({ signed: { time: seconds(-7) } }), expected: notAuthentic },
  { row: 'A4', what: 'id and time changed for each other', make: () => delivery({ id: seconds(), signed: { id: seconds(), time: 'msg' } }), expected: notAuthentic },

  { row: 'A5', what: '301 s old', make: () => delivery({ time: seconds(-301) }), expected: expired },
  { row: 'A5', what: '301 s ahead', early: true, make: () => delivery({ time: seconds(301) }), expected: expired },
  { row: 'A5', what: '300 s old', early: true, make: () => delivery({ time: seconds(-300) }), expected: accepted() },
  { row: 'A5', what: '300 s ahead', early: true, make: () => delivery({ time: seconds(300) }), expected: accepted() },

  { row: 'A6', what: 'a time in milliseconds', make: () => delivery({ time: `${seconds()}000` }), expected: malformed() },
  ...['-5', '+1', '1 1', '1e9', '12abc', '0x12', '1.0', '9223372036854775808'].map((time) => timed(time, malformed(), `a time of ${time}`)),
  timed('9'.repeat(400), malformed(), 'a time of 400 digits'),
  timed('0', expired, 'a time of 0'),
  timed('999999999999', expired, 'the largest time of 12 digits'),
  { row: 'A6', what: 'a leading zero that was not signed', make: () => delivery({ time: `0${seconds()}`, signed: { time: seconds() } }), expected: notAuthentic },
  { row: 'A6', what: 'a space before it that was signed and that HTTP removes', make: () => delivery({ time: ` ${seconds()}` }), expected: notAuthentic },

  ...['msg.1', 'msg/1', 'msg 1', 'msg;1', 'msg%00', 'msg\xe9', 'msg\xff'].map((id) => named(id, malformed(), `an id of ${JSON.stringify(id)}`)),
  named('a'.repeat(129), malformed(), 'an id of 129 characters'),
  named('a'.repeat(10_240), malformed(), 'an id of 10 KiB'),
  named('', malformed('missing_header'), 'an empty id'),
  ...['msg\0a', 'msg\ra', 'msg\na', 'msg\r\n folded', 'msg\x01', 'msg\x7f'].map((id) => named(id, unreadable, `an id of ${JSON.stringify(id)}`)),
  named(`${'a'.repeat(120)}${process.pid}`, accepted(), 'an id of every allowed length'),

  { row: 'A8', what: 'the good signature behind sixteen others', make: withSignature((one) => `${'v1,x '.repeat(16)}${one}`), expected: malformed() },
  { row: 'A8', what: 'the good signature before sixteen others', make: withSignature((one) => `${one}${' v1,x'.repeat(16)}`), expected: malformed() },
  { row: 'A8', what: 'the good signature as the sixteenth', make: withSignature((one) => `${'v1,x '.repeat(15)}${one}`), expected: accepted() },
  { row: 'A8', what: '10 000 signatures', make: withSignature((one) => `${one} `.repeat(10_000)), expected: headTooLarge },
  { row: 'A8', what: 'a header of 64 KiB', make: withSignature(() => 'x'.repeat(65_536)), expected: headTooLarge },

  { row: 'A13', what: 'a v1a signature', make: withSignature((one) => `v1a${one.slice(2)}`), expected: notAuthentic },
  { row: 'A13', what: 'a v1 signature keyed with the text of the public key', make: () => delivery({ key: publicKey }), expected: notAuthentic },
  { row: 'A13', what: 'a v1 signature keyed with the bytes of the public key', make: () => delivery({ key: Buffer.from(publicKey.slice(5), 'base64') }), expected: notAuthentic },
  { row: 'A13', what: "a v1 signature keyed with the secret's text", make: () => delivery({ key: webhookSecret }), expected: notAuthentic },
];

const outcomeOf = ({ status, problem, stored, reason }) => {
  if (problem) return `is ${status} ${problem}, nothing is published`;
  if (stored === 'events') return 'is 200 and published as signed';
  return stored ? `is 200 and a dead letter, ${reason}` : 'is 200, counted, not published';
};

const runRows = (rows) => {
  for (const { row, what, early, make, expected } of rows)
    test(`webhook: ${what} ${outcomeOf(expected)} [${row}${expected.stored === 'events' ? ', I1' : ''}]`, () => {
      const attempt = () => check(make(), expected);
      return early ? withinASecond(attempt) : attempt();
    });
};
runRows(headerRows);

test('webhook: every response to an unauthentic request has the same text [A2, A3, A4, A13]', async () => {
  const texts = new Set();
  for (const { expected, make } of headerRows.filter((row) => row.expected === notAuthentic)) texts.add((await check(make(), expected)).body);
  assert.equal(texts.size, 1);
});

for (const name of names) {
  const suffix = name.slice('svix'.length);
  for (const [other, change] of [[name, (value) => `${value}1`], [name, (value) => value], [`webhook${suffix}`, (value) => `${value}1`], [`WEBHOOK${suffix}`, () => '1']])
    for (const first of [true, false])
      test(`webhook: ${name}, ${first ? 'before' : 'after'} it ${other} as ${change('x')}, is 400 ambiguous_header [A9]`, async () => {
        const sent = delivery();
        const added = [other, change(sent.headers.find(([one]) => one === name)[1])];
        sent.headers = first ? [added, ...sent.headers] : [...sent.headers, added];
        await check(sent, malformed('ambiguous_header'));
      });
}

test('webhook: both header families with the same values are one delivery [A9]', async () => {
  const sent = delivery();
  const again = sent.headers.filter(([name]) => names.includes(name)).map(([name, value]) => [name.replace('svix', 'webhook'), value]);
  await check({ ...sent, headers: [...sent.headers, ...again] }, accepted());
});

// --- repeated deliveries

test('webhook: a replayed delivery is stored again unchanged; after five minutes it is 401 [A10]', async () => {
  const sent = delivery();
  await check(sent, accepted());
  await check(sent, accepted(), 2);
  const [first, second] = events.filter(({ headers }) => headers.ce_id === sent.id);
  assert.deepEqual([second.key, second.value, second.headers, second.partition], [first.key, first.value, first.headers, first.partition]);
  await check(delivery({ time: seconds(-302) }), expired);
});

test('webhook: one id with two signed bodies publishes both, and counts for the alert [A11]', async () => {
  const user = clerkUser();
  const id = uniqueName('msg');
  await check(delivery({ id, body: JSON.stringify(userCreated(user)) }), accepted());
  const edited = JSON.stringify(userUpdated({ ...user, first_name: 'Edited' }));
  await check(delivery({ id, body: edited }), accepted('user.updated', { event_ids_reused_total: 1 }), 2);
  await check(delivery({ id, body: JSON.stringify(userCreated(user)) }), accepted(), 3);
});

// --- bodies

const bodied = (body) => () => delivery({ body });
const nested = (levels) => `{"type":"user.created","data":{"id":"user_1","x":${'['.repeat(levels)}${']'.repeat(levels)}}}`;
const without = (name) => JSON.stringify({ ...envelope, [name]: undefined });
const head = (...lines) => Buffer.from(['POST /webhooks/clerk HTTP/1.1', 'Host: ingest', ...lines, '', ''].join('\r\n'), 'latin1');
const chunk = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`);
const foreign = JSON.stringify({ ...envelope, instance_id: 'ins_2foreign' });
const unknownFields = JSON.stringify({ ...envelope, later: [{}], data: { ...envelope.data, later: { x: null } } });

runRows([
  { row: 'A14', what: 'a length one byte over the limit, and no body yet,', make: () => ({ bytes: head(`Content-Length: ${bodyBytesMax + 1}`) }), expected: tooLarge },
  { row: 'A14', what: 'chunks without an end', make: () => ({ bytes: Buffer.concat([head('Transfer-Encoding: chunked'), ...Array(13).fill(chunk)]) }), expected: tooLarge },
  { row: 'A14', what: 'an authentic body one byte over the limit', make: bodied(' '.repeat(bodyBytesMax + 1)), expected: tooLarge },
  { row: 'A14', what: 'an authentic body at the limit that holds nothing', make: bodied(' '.repeat(bodyBytesMax)), expected: parked('not_json') },
  { row: 'A14', what: 'a user event at the limit', make: bodied(good.padEnd(bodyBytesMax)), expected: accepted() },

  { row: 'A15', what: 'a body that is a word', make: bodied('hello'), expected: parked('not_json') },
  { row: 'A15', what: 'an empty body', make: bodied(''), expected: parked('not_json') },
  { row: 'A15', what: 'a byte order mark before the body', make: bodied(`\ufeff${good}`), expected: parked('not_json') },
  { row: 'A15', what: 'a NUL behind the body', make: bodied(`${good}\0`), expected: parked('not_json') },
  { row: 'A15', what: 'a list at the top', make: bodied(`[${good}]`), expected: parked('not_an_object') },
  { row: 'A15', what: 'a number at the top', make: bodied('1'), expected: parked('not_an_object') },
  { row: 'A15', what: 'null at the top', make: bodied('null'), expected: parked('not_an_object') },
  { row: 'A15', what: 'a depth of 65', make: bodied(nested(63)), expected: parked('too_deep') },
  { row: 'A15', what: 'a depth of 700 000', make: bodied('['.repeat(700_000)), expected: parked('too_deep') },

  { row: 'A16', what: 'a type of other things', make: bodied('{"type":"session.created","data":{"id":"sess_1"}}'), expected: ignored },
  { row: 'A16', what: 'an unknown type', make: bodied('{"type":"user.renamed","data":{"id":"user_1"}}'), expected: ignored },
  { row: 'A16', what: 'a known type in other letters', make: bodied('{"type":"User.created","data":{"id":"user_1"}}'), expected: ignored },
  { row: 'A16', what: 'unknown fields', make: bodied(unknownFields), expected: accepted() },
  { row: 'A16', what: 'data left out', make: bodied(without('data')), expected: parked('no_data') },
  { row: 'A16', what: 'data null', make: bodied(JSON.stringify({ ...envelope, data: null })), expected: parked('no_data') },
  { row: 'A16', what: 'a type left out', make: bodied(without('type')), expected: parked('no_type') },
  { row: 'A16', what: 'a user without an id', make: bodied(JSON.stringify({ ...envelope, data: { object: 'user' } })), expected: parked('no_user_id') },

  { row: 'A17', what: 'type twice', make: bodied(good.replace('{', '{"type":"user.deleted",')), expected: parked('duplicate_name') },
  { row: 'A17', what: "the user's id twice", make: bodied('{"type":"user.created","data":{"id":"user_1","id":"user_2"}}'), expected: parked('duplicate_name') },
  { row: 'A17', what: "the user's id twice, once in escapes,", make: bodied('{"type":"user.created","data":{"id":"user_1","\\u0069d":"user_2"}}'), expected: parked('duplicate_name') },

  { row: 'A18', what: "another instance's event", make: bodied(foreign), expected: parked('foreign_instance', 'user.created') },
  { row: 'A18', what: "our instance's deletion", make: bodied(JSON.stringify(userDeleted('user_2ours'))), expected: accepted('user.deleted') },
]);

// --- methods and content types

const notAllowed = refused(405, 'method_not_allowed', null);
for (const method of ['GET', 'PUT', 'OPTIONS', 'TRACE', 'DELETE', 'PATCH'])
  test(`webhook: ${method} is 405 with Allow: POST, unpublished, without CORS headers [A20]`, async () => {
    const answer = await check({ ...delivery({ more: [['Origin', 'https://example.com']] }), method }, notAllowed);
    assert.equal(answer.headers.allow, 'POST');
  });

test('webhook: HEAD is 405 with Allow: POST and no body [A20]', async () => {
  const answer = await fetch(`${ingest.url}/webhooks/clerk`, { method: 'HEAD', headers: { origin: 'https://example.com' } });
  assert.deepEqual([answer.status, answer.headers.get('allow'), await answer.text()], [405, 'POST', '']);
  assert.deepEqual(await watch.moved(), { counters: {}, records: {} });
});

for (const type of [null, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'x'])
  test(`webhook: content type ${type ?? '(none)'} is accepted, the signature decides [A20]`, () =>
    check(delivery({ more: [...(type ? [['Content-Type', type]] : []), ['Origin', 'https://example.com']] }), accepted()));

test("webhook: the legacy plugin's path accepts and rejects the same deliveries [A20]", async () => {
  const route = '/api/clerk-auth/webhook';
  await check({ ...delivery(), route }, accepted());
  await check({ ...delivery({ key: 'another secret than the one configured' }), route }, notAuthentic);
});

test('logs: whole lines of known keys, no secret, signature or body content [A1-A20, I6]', async () => {
  const last = delivery();
  await check(last, accepted());
  await lineComes(ingest, { event_id: last.id });
  assertWellFormed(ingest);
  const signed = last.headers.find(([name]) => name === 'svix-signature')[1];
  const user = envelope.data;
  assertWithout(ingest.log(), [webhookSecret.slice(6), signed.slice(3), user.email_addresses[0].email_address, user.last_name, 'ins_2foreign'], 'the log');
});
