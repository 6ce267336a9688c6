// needs: database, kafka
// The logs of everything: webhooks and tokens, good and bad, dead letters, conflicts, outages and operators' commands,
// all at LOG_LEVEL=debug. They contain what an operator needs, and no personal data.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { clerkSecretKey, startClerk } from './clerk-stand-in.mjs';
import { assertWellFormed, assertWithout, findLine, lineComes, linesOf } from './log-lines.mjs';
import { connectKafka, eventRecord } from './records.mjs';
import {
  clerkId, clerkUser, command, freePort, instanceId, newSigningKey, newTablesDatabase, newTopics, readUser, sendWebhook,
  startIngest, startWorker, userCreated, userDeleted, userUpdated, waitFor, webhookSecret,
} from './support.mjs';

const otherSecret = 'whsec_' + Buffer.from('another secret, that is not configured').toString('base64');
const databasePassword = 'password-of-the-database-4711';
const saslPassword = 'password-of-the-brokers-0815';
// What a site's application keeps in the Secret that all its pods share.
const shared = { APP_KEYS: 'strapi-app-key-one,strapi-app-key-two', JWT_SECRET: 'strapi-jwt-secret', ADMIN_JWT_SECRET: 'strapi-admin-jwt-secret', API_TOKEN_SALT: 'strapi-token-salt', AWS_SECRET_ACCESS_KEY: 'strapi-aws-secret' };
const forbidden = [webhookSecret, otherSecret, clerkSecretKey, databasePassword, saslPassword, ...Object.values(shared).flatMap((value) => value.split(','))];

// Everything personal of a user, recorded as forbidden in a log.
function person({ email = `${clerkId().slice(-10)}@Personal.example`, ...fields } = {}) {
  const id = clerkId();
  const own = { first_name: `Xaviera${id.slice(-6)}`, last_name: `Quillfeather${id.slice(-6)}`, username: `nickname${id.slice(-6)}`, ...fields };
  forbidden.push(email, own.first_name, own.last_name, own.username);
  return clerkUser({ id, email, ...own });
}
function remember(token) {
  forbidden.push(token, ...token.split('.').slice(1).filter((part) => part.length > 8));
  return token;
}

const key = newSigningKey();
const strangerKey = newSigningKey();
const debug = { LOG_LEVEL: 'debug', LOG_FORMAT: 'json', ...shared };
let database, topics, kafka, clerk, ingest, worker, deadLetters, variables;

before(async () => {
  [database, topics, kafka, clerk] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 1 }), connectKafka(), startClerk({ keys: [key] })]);
  const url = new URL(database.url);
  url.password = databasePassword;
  variables = { ...debug, ...topics, ...clerk.settings, DATABASE_URL: url.href, CLERK_INSTANCE_IDS: instanceId };
  assert.equal((await command('clerk-worker', ['migrate'], variables)).code, 0);
  deadLetters = await kafka.follow(topics.TOPIC_DEAD_LETTERS);
  [ingest, worker] = await Promise.all([startIngest({ ...variables, CLERK_ISSUER: 'https://clerk.example.com' }), startWorker(variables)]);
});

const send = (body, more = {}) => sendWebhook(ingest.url, more.secret ?? webhookSecret, { body, ...more });
const row = async (id) => (await readUser(database, id))?.user;
const rowComes = (id) => waitFor(() => row(id), { what: `the row of ${id}` });
const get = (path, headers) => fetch(ingest.url + path, { headers, redirect: 'manual', signal: AbortSignal.timeout(15_000) }).then(async (answer) => (await answer.text(), answer.status));
const verify = (token, headers = {}) => get('/v1/auth/verify', { authorization: `Bearer ${token}`, ...headers });

test("logs: one id leads from a webhook's request through Kafka to the line about its rows", async () => {
  const records = await kafka.follow(topics.TOPIC_USER_EVENTS);
  const traceId = '5bd66ef5095369c7b0d1f8f4bd33716a';
  const user = person();
  const { id } = await send(userCreated(user), { headers: { traceparent: `00-${traceId}-c532cb4098ac3dd2-01` } });
  const stored = await lineComes(ingest, { msg: 'webhook stored', event_id: id });
  const applied = await lineComes(worker, { msg: 'event applied', event_id: id });
  for (const line of [stored, applied]) assert.deepEqual([line.level, line.trace_id, line.clerk_id], ['debug', traceId, user.id]);
  assert.equal(applied.outcome, 'created');
  const record = await waitFor(() => records.find(({ headers }) => headers.ce_id === id), { what: 'the record' });
  assert.equal(record.headers.traceparent, `00-${traceId}-c532cb4098ac3dd2-01`);

  // A request without a trace, or with an invalid one, gets a new trace: the same in both programs.
  for (const headers of [{}, { traceparent: 'ada@personal.example' }]) {
    const again = await send(userUpdated({ ...user, updated_at: user.updated_at + 1 }), { headers });
    const { trace_id: made } = await lineComes(ingest, { msg: 'webhook stored', event_id: again.id });
    assert.match(made, /^[0-9a-f]{32}$/);
    assert.notEqual(made, traceId);
    await lineComes(worker, { msg: 'event applied', event_id: again.id, trace_id: made });
  }
});

test('logs: rejected and dead-lettered webhooks are found by id, without their contents', async () => {
  const user = person();
  const about = JSON.stringify(userCreated(user));
  const code = 'one-time-code-424242';
  forbidden.push(code);
  const refused = await send(about, { secret: otherSecret });
  assert.equal(refused.status, 401);
  assert.equal((await send(about, { timestamp: new Date(Date.now() - 900_000) })).status, 401);
  assert.equal((await send(about, { id: user.email_addresses[0].email_address })).status, 400);
  const cut = await send(about.slice(0, -20));
  assert.equal(cut.status, 200);
  const foreign = await send({ ...userCreated(user), instance_id: 'ins_2somebodyelse' });
  assert.equal(foreign.status, 200);
  assert.equal((await send({ ...userCreated(user), type: 'email.created', data: { id: 'ema_1', body: code, to_email_address: 'to@personal.example' } })).status, 200);
  assert.equal(await get(`/nowhere/${user.username}?email=${user.email_addresses[0].email_address}`), 404);

  await lineComes(ingest, { msg: 'webhook rejected', level: 'debug', event_id: refused.id, reason: 'not_authentic' });
  await lineComes(ingest, { msg: 'webhook stored', outcome: 'parked', event_id: foreign.id, clerk_id: user.id });
  // Both within a second: one warning, the other is suppressed and counted by the next.
  await lineComes(ingest, { msg: 'webhook dead-lettered', level: 'warning', event_id: cut.id, reason: /./ });
  await waitFor(() => deadLetters.length === 2, { what: 'both dead letters' });
});

test('logs: session tokens, good and bad', async () => {
  const [known, unseen, gone] = [person(), person(), person()];
  for (const user of [unseen]) clerk.users.set(user.id, user);
  await send(userCreated(known));
  await send(userDeleted(gone.id));
  await rowComes(known.id);
  const good = remember(key.sign({ sub: known.id }));
  assert.equal(await verify(good, { traceparent: '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-c532cb4098ac3dd2-01' }), 200);
  assert.equal(await get('/v1/auth/verify', { cookie: `__session=${good}` }), 200);
  assert.equal(await verify(remember(key.sign({ sub: unseen.id }))), 200);
  assert.ok([401, 403].includes(await verify(remember(key.sign({ sub: gone.id })))));
  assert.equal(await verify(remember(key.sign({ sub: clerkId() }))), 401); // unknown to Clerk as well
  assert.equal(await verify(remember(key.sign({ sub: known.id, exp: Math.floor(Date.now() / 1000) - 60 }))), 401);
  assert.equal(await verify(remember(strangerKey.sign({ sub: known.id }))), 401);
  assert.equal(await verify(remember(key.sign({ sub: known.id }, { kid: 'ins_2nobody' }))), 401);
  assert.equal(await verify(remember('not-a-token-at-all')), 401);
  const asked = { 'x-original-method': 'GET', 'x-original-uri': `/api/users/7?filters[email]=${known.email_addresses[0].email_address}&token=${good}`, authorization: `Bearer ${good}` };
  assert.ok((await get('/v1/auth/gateway', asked)) >= 400);

  await lineComes(ingest, { msg: 'token accepted', clerk_id: known.id, trace_id: 'a'.repeat(32) });
  await lineComes(ingest, { msg: 'token rejected', reason: /expired/ });
  await lineComes(ingest, { msg: 'provisioning event published', clerk_id: unseen.id });
});

test('logs: records of a hostile producer, conflicts, and database errors that quote rows', async () => {
  const [owner, rival, refused, quoted] = [person(), person(), person({ username: 'mallory-the-refused' }), person()];
  const address = owner.email_addresses[0].email_address;
  rival.email_addresses[0].email_address = address;
  await send(userCreated(owner));
  await send(userCreated(rival));
  await database.rows("insert into up_users (document_id, username, email, provider, confirmed, blocked) values ('local456789012345678901234', 'localuser', 'local.person@personal.example', 'local', true, false)");
  await send(userCreated(person({ email: 'local.person@personal.example' })));
  await Promise.all([owner, rival].map(({ id }) => rowComes(id)));

  const bad = eventRecord(userCreated(person()), { id: address, headers: { traceparent: address } });
  await kafka.append(topics.TOPIC_USER_EVENTS, { ...bad, key: address });
  await database.rows("alter table up_users add constraint no_mallory check (username <> 'mallory-the-refused')");
  const { id } = await send(userCreated(refused));
  await waitFor(() => deadLetters.length === 4, { what: 'two more dead letters', deadlineMs: 20_000 });
  const parked = await lineComes(worker, { msg: 'record dead-lettered', event_id: id });
  assert.deepEqual([parked.reason, parked.clerk_id], ['refused_by_database', refused.id]);
  assert.ok(findLine(worker, { msg: 'record dead-lettered', reason: 'contradictory', clerk_id: undefined, event_id: undefined }));

  // A site's own trigger may raise any message with any code.
  await database.rows(`create function complain() returns trigger language plpgsql as $$ begin raise exception 'no place for % (%)', new.email, new.full_name; end $$`);
  await database.rows('create trigger complain before insert on up_users for each row execute function complain()');
  await send(userCreated(quoted));
  const paused = await lineComes(worker, { msg: 'pipeline paused', cause: 'database', detail: /P0001/ });
  assert.equal(paused.level, 'warning');
  await database.rows('drop trigger complain on up_users');
  await rowComes(quoted.id);
  await lineComes(worker, { msg: 'pipeline resumed' });
});

test('logs: outages, rejected passwords, closed database connections', async () => {
  const unreachable = await startIngest({ ...variables, KAFKA_BROKERS: `127.0.0.1:${await freePort()}`, PUBLISH_TIMEOUT_MS: '300' }, { wait: 'alive' });
  assert.equal((await sendWebhook(unreachable.url, webhookSecret, { body: userCreated(person()) })).status, 503);
  await lineComes(unreachable, { msg: 'webhook rejected', reason: 'not_acknowledged' });
  const sasl = { KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT', KAFKA_SASL_MECHANISM: 'PLAIN', KAFKA_SASL_USERNAME: 'ingest', KAFKA_SASL_PASSWORD: saslPassword, KAFKA_DEBUG: 'all' };
  const refused = await startIngest({ ...variables, ...sasl, PUBLISH_TIMEOUT_MS: '300' }, { wait: 'alive' });
  assert.equal((await sendWebhook(refused.url, webhookSecret, { body: userCreated(person()) })).status, 503);
  await lineComes(refused, { msg: 'librdkafka wrote a log message', level: 'debug' });

  await database.rows("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name like 'clerk%'");
  const user = person();
  await send(userCreated(user));
  await rowComes(user.id);
  assert.equal(await verify(remember(key.sign({ sub: user.id }))), 200);

  for (const program of [unreachable, refused]) {
    assert.equal((await program.stop()).code, 0);
    assertWellFormed(program);
    assertWithout(program.log(), forbidden, program.logFile);
  }
});

test("logs: the operator's commands print ids and masked values", async () => {
  const { id } = (await database.rows("select clerk_id as id from up_users where clerk_id is not null order by 1 limit 1"))[0];
  for (const args of [['user', id], ['user', id, '--json'], ['dlq', 'list'], ['dlq', 'show', ...deadLetters.map(({ partition, offset }) => `${partition}-${offset}`)], ['status'], ['replay', '--from', 'beginning', '--dry-run'], ['backfill', '--dry-run'], ['reconcile'], ['check']]) {
    const { code, stdout, stderr } = await command('clerk-worker', args, variables);
    assert.ok([0, 3].includes(code), `${args}: ${code} ${stdout}${stderr}`);
    assertWithout(stdout + stderr, forbidden, `clerk-worker ${args.join(' ')}`);
  }
  const { stdout, stderr } = await command('clerk-ingest', ['check'], variables);
  assertWithout(stdout + stderr, forbidden, 'clerk-ingest check');
});

test('logs: every line is one JSON object with known keys and no personal data or secret [I6]', async () => {
  for (const program of [ingest, worker]) {
    assert.equal((await program.stop()).code, 0);
    assert.ok(linesOf(program).some(({ level }) => level === 'debug'));
    assertWellFormed(program);
    assertWithout(program.log(), forbidden, program.logFile);
    assert.ok(!/unknown variable/.test(program.log()), 'a variable of the shared Secret is taken for one of ours');
  }
});
