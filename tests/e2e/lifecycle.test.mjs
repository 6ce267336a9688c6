// needs: database, kafka
// Signals, and an environment full of foreign variables: what an orchestrator does to a program.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { assertWellFormed, assertWithout, findLine, lineComes } from './log-lines.mjs';
import {
  clerkUser, command, newTablesDatabase, newTopics, readiness, readUser, sendWebhook, startIngest, startWorker, uniqueName,
  userCreated, waitFor, webhookSecret,
} from './support.mjs';

let database, topics;

before(async () => {
  [database, topics] = await Promise.all([newTablesDatabase(), newTopics()]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
});

const startBoth = (more = {}) =>
  Promise.all([startIngest({ ...topics, LOG_FORMAT: 'json', ...more }), startWorker({ ...topics, DATABASE_URL: database.url, LOG_FORMAT: 'json', ...more })]);

async function assertPipeline(ingest) {
  const user = clerkUser();
  assert.equal((await sendWebhook(ingest.url, webhookSecret, { body: userCreated(user) })).status, 200);
  await waitFor(() => readUser(database, user.id), { what: `the row of ${user.id}` });
}

for (const [first, second, code] of [['SIGTERM', 'SIGTERM', 143], ['SIGINT', 'SIGINT', 130], ['SIGTERM', 'SIGINT', 130]]) {
  test(`ingest: ${second} during the stop after ${first} ends it at once [F27]`, async () => {
    const ingest = await startIngest(topics);
    ingest.signal(first);
    await waitFor(async () => (await readiness(ingest)).status === 503, { what: 'stopping', deadlineMs: 2_000 });
    const begin = Date.now(); // alone, it would accept connections for 3 s more
    assert.deepEqual(await ingest.stop({ signal: second }), { code, signal: null });
    assert.ok(Date.now() - begin < 1_500, `ended after ${Date.now() - begin} ms`);
  });
}

test('worker: a second signal ends it while the database hangs, no record is lost [F27, I7]', async () => {
  const [ingest, worker] = await startBoth();
  await assertPipeline(ingest);
  const held = await database.connect();
  try {
    await held.query('begin; lock table up_users in access exclusive mode');
    const user = clerkUser();
    assert.equal((await sendWebhook(ingest.url, webhookSecret, { body: userCreated(user) })).status, 200);
    const waits = () => database.rows("select 1 from pg_stat_activity where datname = current_database() and application_name = 'clerk-worker' and wait_event_type = 'Lock'");
    await waitFor(async () => (await waits()).length > 0, { what: 'the worker waits for the table' });
    worker.signal('SIGTERM');
    const { code } = await worker.stop({ deadlineMs: 9_000 });
    assert.ok([0, 143].includes(code), `code ${code}`); // 0: it had completed its stop before the second signal
    await held.query('rollback');
    await startWorker({ ...topics, DATABASE_URL: database.url });
    await waitFor(() => readUser(database, user.id), { what: 'the row' });
  } finally {
    held.release();
  }
});

test('signals: SIGPIPE is ignored, SIGHUP makes only ingest read its files again [F27]', async () => {
  const file = path.join(process.env.TEST_RUN_DIR, uniqueName('secret'));
  writeFileSync(file, webhookSecret);
  const [ingest, worker] = await startBoth({ CLERK_WEBHOOK_SIGNING_SECRET: '', CLERK_WEBHOOK_SIGNING_SECRET_FILE: file });
  for (const program of [ingest, worker]) {
    program.signal('SIGPIPE');
    program.signal('SIGHUP');
  }
  await lineComes(ingest, { msg: 'webhook secrets reloaded', file });
  await assertPipeline(ingest);
  for (const program of [ingest, worker]) assert.equal((await readiness(program)).status, 200);
});

test('environment: variables of Kubernetes and other programs have no effect and are not logged', async () => {
  const linked = (name, port) => ({
    [`${name}_PORT`]: `tcp://10.0.0.1:${port}`,
    [`${name}_SERVICE_HOST`]: '10.0.0.1',
    [`${name}_SERVICE_PORT`]: String(port),
    [`${name}_SERVICE_PORT_HTTP`]: String(port),
    [`${name}_PORT_${port}_TCP`]: `tcp://10.0.0.1:${port}`,
    [`${name}_PORT_${port}_TCP_PROTO`]: 'tcp',
    [`${name}_PORT_${port}_TCP_PORT`]: String(port),
    [`${name}_PORT_${port}_TCP_ADDR`]: '10.0.0.1',
  });
  const secrets = {
    APP_KEYS: 'application-key-one,application-key-two', API_TOKEN_SALT: 'application-token-salt', ADMIN_JWT_SECRET: 'application-admin-jwt',
    TRANSFER_TOKEN_SALT: 'application-transfer-salt', JWT_SECRET: 'application-jwt', ENCRYPTION_KEY: 'application-encryption-key',
    AWS_ACCESS_KEY_ID: 'application-access-key', AWS_SECRET_ACCESS_KEY: 'application-aws-secret', SMTP_PASSWORD: 'application-smtp-password',
  };
  const others = {
    ...linked('CLERK_INGEST', 8080), ...linked('CLERK_WORKER', 9465), ...linked('KAFKA', 9092), ...linked('DATABASE', 5432), ...linked('KUBERNETES', 443),
    ...secrets,
    DATABASE_CLIENT: 'postgres', DATABASE_FILENAME: '.tmp/data.db', DATABASE_SSL_REJECT_UNAUTHORIZED: 'false', DATABASE_POOL_MAX: '10', DATABASE_CONNECTION_TIMEOUT: '60000',
    STRAPI_TELEMETRY_DISABLED: 'true', NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '1337', AWS_REGION: 'eu-central-1', CLERK_INGEST_URL: 'http://clerk-ingest:8080',
    HTTP_PROXY: 'http://10.0.0.1:3128', HTTPS_PROXY: 'http://10.0.0.1:3128', POD_NAME: 'clerk-0',
    // Empty is unset, whatever it is.
    KAFKA_SASL_PASSWORD: '', KAFKA_SECURITY_PROTOCOL: '', CLERK_SECRET_KEY: '', CLERK_INSTANCE_IDS: '', LOG_LEVEL: '', MAX_BODY_BYTES: '', BATCH_RECORDS: '', ROLE_MAP: '', STRAPI_TIMEZONE: '', DATABASE_PASSWORD: '', DATABASE_PASSWORD_FILE: '',
  };
  const [ingest, worker] = await startBoth(others);
  await assertPipeline(ingest);

  // Strapi's own variables, with a service link in the place of the port.
  const { hostname, port, pathname, username } = new URL(database.url);
  const parts = { ...others, DATABASE_URL: '', DATABASE_HOST: hostname, DATABASE_NAME: pathname.slice(1), DATABASE_USERNAME: username };
  const checked = await command('clerk-worker', ['check'], { ...topics, ...parts, DATABASE_PORT: port });
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  const { stdout, stderr } = await command('clerk-worker', ['check'], { ...topics, ...parts });
  assert.doesNotMatch(stdout + stderr, /DATABASE_PORT|tcp:/, 'a service link is taken for the port'); // 5432 instead, where no server needs to listen

  for (const program of [ingest, worker]) {
    assert.equal((await program.stop()).code, 0);
    assertWellFormed(program);
    assert.equal(findLine(program, { msg: /unknown variable/ }), undefined);
    assertWithout(program.log(), Object.values(secrets).flatMap((value) => value.split(',')), program.logFile);
    assert.ok(!program.log().includes('10.0.0.1'), 'a service link is logged or used');
  }
});
