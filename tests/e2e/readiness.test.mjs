// needs: database, kafka
// /readyz against real brokers and a real database: ready only when the program can work. What happens while the brokers
// are unreachable: readiness-outage.test.mjs; that a ready ingest stays ready then: outage.test.mjs.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { deliver, isReady, lineOf, linesAbout, migratedTables, missingTopics, signIn, untilReady } from './readiness-stage.mjs';
import { connectKafka } from './records.mjs';
import { command, newTopics, repository, startIngest, startWorker, uniqueName, waitFor, webhookSecret } from './support.mjs';

const run = promisify(execFile);
let database;
let topics;

before(async () => {
  [database, topics] = await Promise.all([migratedTables(), newTopics({ partitions: 1 })]);
});

test('readiness: without topics both programs name `clerk-worker topics`; then ready, no restart', async () => {
  const names = { ...missingTopics(), KAFKA_GROUP_ID: uniqueName('group') };
  const [ingest, worker] = await Promise.all([
    startIngest({ ...names, ...signIn(database.url) }, { wait: 'alive' }),
    startWorker({ ...names, DATABASE_URL: database.url }, { wait: 'alive' }),
  ]);
  for (const program of [ingest, worker]) {
    await waitFor(async () => /run `clerk-worker topics`$/.test(await lineOf(program)), { what: `${program.name} names the command` });
    assert.ok((await lineOf(program)).includes(names.TOPIC_USER_EVENTS), await lineOf(program));
    assert.equal(await isReady(program), false);
  }
  const made = await command('clerk-worker', ['topics', '--partitions', '1', '--replication', '1'], names);
  assert.equal(made.code, 0, made.stdout + made.stderr);
  await Promise.all([untilReady(ingest), untilReady(worker, 30_000)]);
  assert.equal(await deliver(ingest), 200);
});

test('readiness: with topic auto-creation on, ingest creates none and is not ready', async () => {
  const kafka = (...args) => run(path.join(repository, 'tests/tools/kafka'), args);
  const folder = path.join(process.env.TEST_RUN_DIR, uniqueName('kafka'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'extra.properties'), 'auto.create.topics.enable=true\n');
  after(() => kafka('remove', folder));
  const brokers = (await kafka('start', folder)).stdout.trim();
  const names = missingTopics();
  const ingest = await startIngest({ ...names, KAFKA_BROKERS: brokers, PUBLISH_TIMEOUT_MS: '1000' }, { wait: 'alive' });
  await waitFor(async () => (await lineOf(ingest)).includes(names.TOPIC_USER_EVENTS), { what: 'it names the topic' });
  await waitFor(async () => (await lineOf(ingest, 'kafka')) === '', { what: 'the producer is connected' });
  assert.equal(await deliver(ingest), 503); // by now the producer has requested its topics
  assert.equal(await isReady(ingest), false);
  assert.deepEqual(await (await connectKafka(brokers)).topics(), []);
});

test('readiness: only an ingest with sign-in needs the provisioning topic', async () => {
  const names = { ...topics, TOPIC_PROVISIONING: missingTopics().TOPIC_PROVISIONING };
  const [webhooks, both] = await Promise.all([startIngest(names), startIngest({ ...names, ...signIn(database.url) }, { wait: 'alive' })]);
  await waitFor(async () => (await lineOf(both)).includes(names.TOPIC_PROVISIONING), { what: 'it names the topic' });
  assert.equal(await isReady(both), false);
  assert.equal(await deliver(webhooks), 200);
});

test('readiness: a deleted topic makes the worker not ready, a recreated one ready again', async () => {
  const names = await newTopics({ partitions: 1 });
  const worker = await startWorker({ ...names, DATABASE_URL: database.url });
  await (await connectKafka()).deleteTopic(names.TOPIC_SNAPSHOTS);
  await waitFor(async () => (await lineOf(worker)).includes(names.TOPIC_SNAPSHOTS), { what: 'the worker names the deleted topic', deadlineMs: 30_000 });
  assert.equal(await isReady(worker), false);
  assert.equal((await command('clerk-worker', ['topics', '--partitions', '1', '--replication', '1'], names)).code, 0);
  await untilReady(worker, 30_000);
});

test('readiness: the worker records its contact with Kafka daily, removes records after 90 days', async () => {
  const fresh = await migratedTables();
  await fresh.rows("insert into clerk_sync.kafka_contact values ('\\x01', current_date - 91), ('\\x02', current_date - 89)");
  const own = await newTopics({ partitions: 1 });
  for (let i = 0; i < 2; i++) {
    const worker = await startWorker({ ...own, DATABASE_URL: fresh.url });
    await waitFor(async () => (await fresh.rows('select 1 from clerk_sync.kafka_contact where seen_on = current_date')).length === 1, { what: 'today\'s record' });
    await worker.stop();
  }
  const rows = await fresh.rows('select length(fingerprint) as n from clerk_sync.kafka_contact order by seen_on');
  assert.deepEqual(rows.map(({ n }) => n), [1, 32]);
});

// What `change` removes; both programs run under the two roles of schemas/sql/grants.sql or as the owner.
const missing = {
  'no table (an older clerk_sync)': { change: 'drop table clerk_sync.kafka_contact', advice: 'run `clerk-worker migrate`' },
  'no right on it': { change: 'revoke all on clerk_sync.kafka_contact from clerk_ingest, clerk_worker', advice: 'GRANT ', roles: true },
};

for (const [name, { change, advice, roles }] of Object.entries(missing)) {
  test(`readiness: ${name}: one warning with the fix, everything else works`, async () => {
    const fresh = await migratedTables();
    const as = (role) => Object.assign(new URL(fresh.url), { username: role, password: 'test-secret' }).href;
    const grants = path.join(repository, 'deploy/kubernetes/database-roles.sql');
    if (roles) {
      const passwords = { CLERK_INGEST_DATABASE_PASSWORD: 'test-secret', CLERK_WORKER_DATABASE_PASSWORD: 'test-secret' };
      await run('psql', ['--no-psqlrc', '-qX', fresh.url, '-f', grants], { env: { ...process.env, ...passwords } });
    }
    await fresh.rows(change);
    const own = await newTopics({ partitions: 1 });
    const [ingest, worker] = await Promise.all([
      startIngest({ ...own, ...signIn(roles ? as('clerk_ingest') : fresh.url), LOG_FORMAT: 'json' }),
      startWorker({ ...own, DATABASE_URL: roles ? as('clerk_worker') : fresh.url, LOG_FORMAT: 'json', STRAPI_PROFILE_CONTENT_TYPES: '' }),
    ]);
    for (const program of [ingest, worker]) await waitFor(() => linesAbout(program, 'kafka_contact').length === 1, { what: `${program.name} warns` });
    for (const program of [ingest, worker]) {
      const [line] = linesAbout(program, 'kafka_contact').map((text) => JSON.parse(text));
      assert.equal(line.level, 'warning');
      assert.ok(line.advice.includes(advice), line.advice);
    }
    assert.equal(await deliver(ingest), 200);
    await waitFor(async () => (await fresh.rows('select 1 from up_users where clerk_id is not null')).length === 1, { what: 'the user in Strapi' });
    assert.equal((await worker.metrics()).value('clerk_worker_paused'), 0);
    assert.deepEqual([await isReady(ingest), await isReady(worker)], [true, true]);
  });
}

test('readiness: an incomplete clerk_sync pauses the worker as `schema` until `migrate` has run', async () => {
  const fresh = await migratedTables();
  await fresh.rows('alter table clerk_sync.user_state drop column revived_at_ms');
  const own = await newTopics({ partitions: 1 });
  const worker = await startWorker({ ...own, DATABASE_URL: fresh.url }, { wait: 'alive' });
  await waitFor(async () => /^schema: .*`clerk-worker migrate`/.test(await lineOf(worker, 'events')), { what: 'it names migrate' });
  assert.equal(await isReady(worker), false);
  assert.equal((await worker.metrics()).value('clerk_worker_paused', { cause: 'schema' }), 1);
  const { code, stderr } = await command('clerk-worker', ['migrate'], { DATABASE_URL: fresh.url });
  assert.equal(code, 0, stderr);
  await untilReady(worker, 30_000);
});

test('readiness: both programs reject an invalid broker address at start, with variable and fix', async () => {
  for (const program of ['clerk-ingest', 'clerk-worker']) {
    const settings = { DATABASE_URL: database.url, CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret };
    const nonsense = await command(program, ['run'], { ...settings, KAFKA_BROKERS: 'nonsense:1:2' });
    assert.equal(nonsense.code, 2);
    assert.match(nonsense.stderr, /KAFKA_BROKERS must list brokers as host:port.*nonsense:1:2/);
    const login = await command(program, ['run'], { ...settings, KAFKA_BROKERS: 'ada:hunter2@kafka:9092' });
    assert.equal(login.code, 2);
    assert.match(login.stderr, /KAFKA_BROKERS .*KAFKA_SASL_PASSWORD/);
    assert.doesNotMatch(login.stderr, /hunter2/);
    for (const variable of ['KAFKA_BOOTSTRAP_SERVERS', 'KAFKA_METADATA_BROKER_LIST']) {
      const other = await command(program, ['run'], { ...settings, KAFKA_BROKERS: 'kafka:9092', [variable]: 'other:9092' });
      assert.equal(other.code, 2);
      assert.match(other.stderr, new RegExp(`${variable} .*KAFKA_BROKERS`));
    }
  }
});
