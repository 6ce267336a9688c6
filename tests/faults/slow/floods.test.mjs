// needs: database, kafka
// One kind of request comes as fast as connections carry it, and the other kind is served as ever (I6, I9, B5, F28): the
// release program with Clerk's keys from Clerk (a stand-in that counts), a real Kafka and PostgreSQL.
//
// What a flood reaches is told and judged by nobody: it depends on the machine.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { startClerk } from '../../e2e/clerk-stand-in.mjs';
import {
  clerkId, command, newSigningKey, newTablesDatabase, newTopics, startIngest, uniqueName, webhookSecret,
} from '../../e2e/support.mjs';
import { footprint, watchFootprint } from '../crowd.mjs';
import { assertAsBefore, assertBounded, assertHolds, bodiesMiB, connectionsMiB, keepAsking, load, queuesMiB, questionsTo, withoutCrowd } from '../good-traffic.mjs';

const key = newSigningKey();
const people = Array.from({ length: 200 }, clerkId); // who have a row
const memory = { memoryMiB: connectionsMiB + bodiesMiB + queuesMiB };
let clerk;
let ingest;
let port;
let deliver; // a webhook
let verify; // the token of one who has a row

before(async () => {
  let database;
  let topics;
  [clerk, database, topics] = await Promise.all([startClerk({ keys: [key] }), newTablesDatabase(), newTopics()]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  await database.rows(
    `with u as (insert into up_users (document_id, username, email, provider, confirmed, blocked, clerk_id, created_at, updated_at, published_at)
        select 'd' || lpad(i::text, 23, '0'), id, id || '@example.com', 'clerk', true, false, id, now(), now(), now() from unnest($1::text[]) with ordinality as one (id, i) returning id)
      insert into up_users_role_lnk (user_id, role_id, user_ord) select u.id, r.id, u.id from u, up_roles r where r.type = 'authenticated'`, [people]);
  ingest = await startIngest({ ...topics, ...clerk.settings, DATABASE_URL: database.url, CLERK_ISSUER: 'https://clerk.example.com', PUBLISH_TIMEOUT_MS: '4000' });
  ({ port, deliver, verify } = questionsTo(ingest, { key, known: { id: people[0] } }));
  assert.equal((await verify()).status, 200);
  assert.equal((await deliver()).status, 200);
});

function bearerFile(tokens) {
  const file = path.join(process.env.TEST_RUN_DIR, uniqueName('bearers'));
  writeFileSync(file, `${tokens.join('\n')}\n`);
  return file;
}

// A token that is well-formed up to its key, which nobody has: {header}.{payload}.{signature}, each key id once.
function tokensOfUnknownKeys(count) {
  const [, payload, signature] = key.sign({ sub: people[0] }).split('.');
  const header = () => Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: `ins_${randomBytes(12).toString('hex')}`, cat: 'cl_B7d4PD111AAA' }));
  return Array.from({ length: count }, () => `${header().toString('base64url')}.${payload}.${signature}`);
}

const perSecond = ({ accepted, otherwise, seconds }) => `${Math.round((accepted + otherwise) / seconds)} a second`;

// Runs the flood while newcomers ask; all that must hold whatever the flood is. Gives what the flood was told.
async function beside(t, question, flood) {
  const quiet = await withoutCrowd(question);
  const was = footprint(ingest);
  const watch = watchFootprint(ingest);
  const stop = keepAsking(question);
  const told = await flood();
  assertHolds(t, await stop(), quiet);
  assertBounded(watch.stop(), was, memory);
  await assertAsBefore(ingest, was, { deliver, verify }, memory);
  t.diagnostic(`the flood: ${perSecond(told)}, ${JSON.stringify(told)}`);
  assert.equal(told.unanswered, 0);
  return told;
}

test('B5: ten thousand tokens of unknown key ids a second for six seconds cost one fetch of the keys, let nobody in, and good tokens are judged as ever (I5, I6)', async (t) => {
  const bearers = bearerFile(tokensOfUnknownKeys(60_000));
  const askedBefore = clerk.asked.jwks;
  const told = await beside(t, verify, () => load('bench-request-load', { to: port, target: '/v1/auth/verify', bearers, connections: 64, rate: 10_000, 'send-for': 6 }));
  assert.equal(told.accepted, 0);
  assert.ok(told.refused > 5000, `${told.refused} were judged`);
  assert.equal(told.refused + told.shed, told.otherwise, 'each is 401, or 503 with Retry-After while the keys are fetched');
  assert.equal(clerk.asked.jwks - askedBefore, 1, 'one in a cool-down of 30 s');
});

test('tokens as fast as they are judged over 64 connections do not keep a webhook waiting (I6, I9)', async (t) => {
  const bearers = bearerFile(people.map((id) => key.sign({ sub: id, exp: Math.floor(Date.now() / 1000) + 300 })));
  const told = await beside(t, deliver, () => load('bench-request-load', { to: port, target: '/v1/auth/verify', bearers, times: 2000, connections: 64, 'send-for': 5 }));
  assert.ok(told.accepted > 5000, `${told.accepted} were judged`);
  assert.equal(told.otherwise, 0);
});

test('webhooks as fast as they are accepted over 64 connections do not keep a token waiting (I6, I9)', async (t) => {
  const told = await beside(t, verify, () => load('bench-webhook-load', { to: port, secret: webhookSecret, requests: 60_000, series: 1, connections: 64, 'send-for': 5 }));
  assert.ok(told.accepted > 1000, `${told.accepted} were accepted`);
  assert.equal(told.otherwise, 0);
});

test('F28: webhooks over more connections than may be under way: the rest is 503 with Retry-After, the accepted hear it within their deadline, and tokens are judged as ever (I6, I9)', async (t) => {
  const told = await beside(t, verify, () => load('bench-webhook-load', { to: port, secret: webhookSecret, requests: 120_000, series: 2, connections: 1500, 'send-for': 5 }));
  assert.ok(told.accepted > 1000, `${told.accepted} were accepted`);
  assert.ok(told.p99_ms < 5000, `accepted after ${told.p99_ms} ms`);
  assert.equal(told.shed, told.otherwise);
});
