// Four running programs that verify session tokens, by what they have of keys, parties and issuers; tokens of each kind; and
// a check of one request: the response, the one counter that increases, the reason in the log by Clerk's own name, and that
// nothing else happened: no record on a topic, no request to Clerk, none to a server that a token names.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { startClerk } from './clerk-stand-in.mjs';
import { assertRefused, exchange, requestBytes, watchMoves, withinASecond } from './exact-answers.mjs';
import { lineComes } from './log-lines.mjs';
import { connectKafka } from './records.mjs';
import { command, newSigningKey, newTablesDatabase, newTopics, startIngest, waitFor } from './support.mjs';
import { issuer, party, textOf, tokenMaker } from './tokens.mjs';
import { weakKeys } from './weak-keys.mjs';

export const key = newSigningKey();
export const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const [ada, other, blocked, gone] = ['user_2abc', 'user_2other', 'user_2blocked', 'user_2gone'];
const publishableKey = `pk_test_${Buffer.from(`${new URL(issuer).host}$`).toString('base64')}`;
export const suffix = createHash('sha1').update(publishableKey).digest('base64url').slice(0, 8);

export const programs = {}; // by configuration: keys over the network, a PEM, a PEM and nothing else, weak keys
export const clerks = {};
export const watches = {};
export let attacker; // a server that no token may cause a request to

async function insertUsers(database) {
  for (const id of [ada, other, blocked])
    await database.rows(
      `insert into up_users (document_id, username, email, provider, confirmed, blocked, published_at, clerk_id)
       values ($1, $1, $2, 'clerk', true, $3, now(), $1)`,
      [id, `${id}@example.com`, id === blocked],
    );
  await database.rows(
    `insert into clerk_sync.user_state (clerk_id, tombstone, updated_at_ms, event_ms, event_id, body_hash, email_verified, banned,
       created_at_ms, document_id, blocked_by_us, mapping_hash) values ($1, true, 1, 1, 'msg', '', false, false, 1, 'd', false, '')`,
    [gone],
  );
}

async function startAttacker() {
  const server = http.createServer((_, response) => {
    attacker.asked += 1;
    response.end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  attacker = { asked: 0, url: `http://127.0.0.1:${server.address().port}/jwks.json` };
}

export const weak = weakKeys();

before(async () => {
  const [database, topics, kafka] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 3 }), connectKafka(), startAttacker()]);
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  await insertUsers(database);
  clerks.network = await startClerk({ keys: [key] });
  clerks.weak = await startClerk({ keys: [...weak.flatMap(({ jwks }) => jwks.map((jwk) => ({ jwk }))), key] });
  const base = { ...topics, DATABASE_URL: database.url, LOG_LEVEL: 'debug' };
  const ours = { ...base, CLERK_ISSUER: issuer, CLERK_AUTHORIZED_PARTIES: party, GATEWAY_NO_IMPERSONATION: '/api/payments' };
  const settings = {
    network: { ...ours, ...clerks.network.settings, CLERK_PUBLISHABLE_KEY: publishableKey },
    pem: { ...ours, CLERK_JWT_KEY: key.pem },
    open: { ...base, CLERK_JWT_KEY: key.pem },
    weak: { ...ours, ...clerks.weak.settings },
  };
  const looked = { provisioning: topics.TOPIC_PROVISIONING, events: topics.TOPIC_USER_EVENTS, deadLetters: topics.TOPIC_DEAD_LETTERS };
  await Promise.all(Object.entries(settings).map(async ([name, values]) => {
    programs[name] = await startIngest(values);
    await waitFor(async () => (await exchange(programs[name], asked(good()))).status === 200, { what: `the first good token of ${name}` });
    watches[name] = await watchMoves(programs[name], kafka, looked);
  }));
});

// --- tokens

const maker = () => tokenMaker({ privateKey: key.privateKey, kid: key.kid });
export const seconds = () => Math.floor(Date.now() / 1000);
export const token = (claims = {}, header = {}, seal) => maker().withClaims(claims, header, seal);
export const good = () => token();
export const claims = (edits) => () => token(edits);
export const header = (edits, seal) => () => token({}, edits, seal);
export const written = (change) => () => change(good(), ...good().split('.'));
export const sealed = (headerOf, payloadOf) => () => {
  const { header: head, claims: body, sealed: seal } = maker();
  return seal(headerOf(textOf(head), head), payloadOf(textOf(body), body));
};

export const asked = (bearer, { target = '/v1/auth/verify', headers = [] } = {}) =>
  requestBytes('GET', target, [...(bearer === null ? [] : [['Authorization', `Bearer ${bearer}`]]), ...headers]);

// --- what a row expects

const counted = (outcome) => ({ [`verify_total{outcome="${outcome}"}`]: 1 });
export const allowed = (clerkId = ada) => ({ status: 200, clerkId, counters: counted('allowed') });
export const refused = (reason, problem = 'invalid_token', outcome = 'invalid') => ({ status: 401, problem, reason, refusal: 'not_authenticated', counters: counted(outcome) });
export const forbidden = (problem, refusal) => ({ status: 403, problem, refusal, counters: counted('forbidden') });
export const httpRefuses = (status, problem) => ({ status, problem, counters: { [`http_refused_total{reason="${problem}"}`]: 1 }, closes: true });

export const bearers = []; // everything that was sent as a token

// Sends a token, and compares everything that changed with what is expected.
export async function check(bearer, expected, { by = 'network', target, headers = [] } = {}) {
  const program = programs[by];
  if (bearer) bearers.push(bearer);
  const trace = randomBytes(16).toString('hex');
  const askedBefore = { ...clerks[by]?.asked };
  const answer = await exchange(program, asked(bearer, { target, headers: [...headers, ['traceparent', `00-${trace}-b7ad6b7169203331-01`]] }), expected);
  const happened = await watches[by].moved(); // at once, so that a failing row fails alone
  if (expected.problem) assertRefused(answer, expected.status, expected.problem);
  else assert.equal(answer.status, expected.status, answer.body);
  assert.equal(answer.headers['www-authenticate'], expected.status === 401 ? 'Bearer error="invalid_token"' : undefined);
  if (expected.clerkId) assert.equal(JSON.parse(answer.body).clerkId, expected.clerkId);
  if (!expected.closes) {
    assert.equal(answer.headers['cache-control'], 'no-store');
    const { msg, refusal, reason } = await lineComes(program, { trace_id: trace });
    assert.deepEqual([msg, refusal, reason], [expected.problem ? 'token refused' : 'token accepted', expected.refusal, expected.reason]);
  }
  assert.deepEqual(happened, { counters: expected.counters, records: {} });
  assert.deepEqual({ ...clerks[by]?.asked }, askedBefore, 'unexpected request to Clerk');
  assert.equal(attacker.asked, 0, 'a token caused a request to its server');
  return answer;
}

const outcomeOf = ({ status, problem, reason }) => (status === 200 ? 'is 200' : `is ${status} ${problem}${reason ? `, ${reason}` : ''}`);

export function runRows(rows) {
  for (const { row, what, early, make = good, expected, ...how } of rows)
    for (const by of [how.by ?? 'network'].flat())
      test(`token: ${what} ${outcomeOf(expected)}${by === 'network' ? '' : ` (${by})`} [${row}, I5]`, () => {
        const more = typeof how.headers === 'function' ? how.headers : () => how.headers;
        const attempt = () => check(make === null ? null : make(), expected, { ...how, by, headers: more() });
        return early ? withinASecond(attempt) : attempt();
      });
}
