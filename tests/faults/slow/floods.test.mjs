// needs: database, kafka
// One kind of request arrives as fast as connections allow, and the other kind is served as before (I6, I9, B5, F28): the
// release program with Clerk's keys from Clerk (a stand-in that counts), a real Kafka and PostgreSQL.
//
// The reached rate is printed but not checked: it depends on the machine.

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
import { assertAsBefore, assertBounded, assertServed, bodiesMiB, connectionsMiB, keepAsking, load, queuesMiB, questionsTo, withoutCrowd } from '../good-traffic.mjs';

const key = newSigningKey();
const people = Array.from({ length: 200 }, clerkId); // users with a row
const memory = { memoryMiB: connectionsMiB + bodiesMiB + queuesMiB };
let clerk;
let ingest;
let port;
let deliver; // a webhook
let verify; // the token of a user with a row

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

// A token that is well-formed except for its unknown key: {header}.{payload}.{signature}, each key id once.
function tokensOfUnknownKeys(count) {
  const [, payload, signature] = key.sign({ sub: people[0] }).split('.');
  const header = () => Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: `ins_${randomBytes(12).toString('hex')}`, cat: 'cl_B7d4PD111AAA' }));
  return Array.from({ length: count }, () => `${header().toString('base64url')}.${payload}.${signature}`);
}

const perSecond = ({ accepted, otherwise, seconds }) => `${Math.round((accepted + otherwise) / seconds)} a second`;

// Runs the flood beside good traffic; checks what must hold for every flood. Returns the flood's responses.
async function beside(t, question, flood) {
  const quiet = await withoutCrowd(question);
  const was = footprint(ingest);
  const watch = watchFootprint(ingest);
  const stop = keepAsking(question);
  const report = await flood();
  assertServed(t, await stop(), quiet);
  assertBounded(watch.stop(), was, memory);
  await assertAsBefore(ingest, was, { deliver, verify }, memory);
  t.diagnostic(`the flood: ${perSecond(report)}, ${JSON.stringify(report)}`);
  assert.equal(report.unanswered, 0);
  return report;
}

test('flood: 10 000 unknown key ids per second cost one fetch, good tokens pass [B5, I5, I6]', async (t) => {
  const bearers = bearerFile(tokensOfUnknownKeys(60_000));
  const askedBefore = clerk.asked.jwks;
  const report = await beside(t, verify, () => load('bench-request-load', { to: port, target: '/v1/auth/verify', bearers, connections: 64, rate: 10_000, 'send-for': 6 }));
  assert.equal(report.accepted, 0);
  assert.ok(report.refused > 5000, `${report.refused} were verified`);
  assert.equal(report.refused + report.shed, report.otherwise, 'each is 401, or 503 with Retry-After while the keys are fetched');
  assert.equal(clerk.asked.jwks - askedBefore, 1, 'one in a cool-down of 30 s');
});

test('flood: tokens at full rate over 64 connections do not delay a webhook [I6, I9]', async (t) => {
  const bearers = bearerFile(people.map((id) => key.sign({ sub: id, exp: Math.floor(Date.now() / 1000) + 300 })));
  const report = await beside(t, deliver, () => load('bench-request-load', { to: port, target: '/v1/auth/verify', bearers, times: 2000, connections: 64, 'send-for': 5 }));
  assert.ok(report.accepted > 5000, `${report.accepted} were verified`);
  assert.equal(report.otherwise, 0);
});

test('flood: webhooks at full rate over 64 connections do not delay a token [I6, I9]', async (t) => {
  const report = await beside(t, verify, () => load('bench-webhook-load', { to: port, secret: webhookSecret, requests: 60_000, series: 1, connections: 64, 'send-for': 5 }));
  assert.ok(report.accepted > 1000, `${report.accepted} were accepted`);
  assert.equal(report.otherwise, 0);
});

test('flood: webhooks over the limit are 503 with Retry-After, tokens pass [F28, I6, I9]', async (t) => {
  const report = await beside(t, verify, () => load('bench-webhook-load', { to: port, secret: webhookSecret, requests: 120_000, series: 2, connections: 1500, 'send-for': 5 }));
  assert.ok(report.accepted > 1000, `${report.accepted} were accepted`);
  assert.ok(report.p99_ms < 5000, `accepted after ${report.p99_ms} ms`);
  assert.equal(report.shed, report.otherwise);
});
