// needs: database, kafka
// Secrets, keys and passwords are replaced while the programs run, well and badly: no restart is needed, and an unusable value
// leaves the previous one in force and is reported (F22, F30).

import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { clerkSecretKey, startClerk } from './clerk-stand-in.mjs';
import { assertWithout, findLine, lineComes, linesOf } from './log-lines.mjs';
import {
  clerkUser, command, newSigningKey, newTopics, readiness, repository, sendWebhook, startIngest, startWorker, uniqueName,
  userCreated, waitFor, webhookSecret,
} from './support.mjs';
import { postgresServer } from '../tools/scripts.mjs';


const nextSecret = 'whsec_' + Buffer.from('the next secret for end-to-end tests').toString('base64');
const nextKey = 'sk_test_thenextone9876543210';
const [firstPassword, nextPassword] = ['first-password-1234', 'next-password-5678'];

const at = (name) => path.join(process.env.TEST_RUN_DIR, name);
const files = { webhook: at('webhook-secret'), key: at('clerk-key'), password: at('database-password') };
// A mounted Secret changes like this: another file under the same name.
function replace(file, text) {
  writeFileSync(`${file}.next`, text);
  renameSync(`${file}.next`, file);
}

const server = at(uniqueName('postgres'));
const [firstSigningKey, nextSigningKey] = [newSigningKey('ins_2rotating'), newSigningKey('ins_2rotated')];
let root; // the superuser's session
let ingest, worker, clerk, database;

const onDatabase = async (sql, values) => {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
};
const rowComes = (id) => waitFor(async () => (await onDatabase('select 1 from up_users where clerk_id = $1', [id])).length === 1, { what: `the row of ${id}`, deadlineMs: 30_000 });

// A server of our own that requires a password of one role, and both programs with all their secrets in files.
before(async () => {
  const url = await postgresServer('start', server, '--no-fsync');
  root = new pg.Client({ connectionString: url });
  await root.connect();
  const [{ hba }] = (await root.query("select current_setting('hba_file') as hba")).rows;
  writeFileSync(hba, `host all rotating 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, 'utf8')}`);
  await root.query('select pg_reload_conf()');
  await root.query(`create role rotating superuser login password '${firstPassword}'`);
  await root.query('create database rotating');
  database = url.replace(/postgres$/, 'rotating');
  await onDatabase(readFileSync(path.join(repository, 'deploy/local/strapi-tables.sql'), 'utf8'));
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database })).code, 0);

  replace(files.webhook, webhookSecret);
  replace(files.key, `${clerkSecretKey}\n`);
  replace(files.password, firstPassword);
  const [topics, standIn] = await Promise.all([newTopics({ partitions: 1 }), startClerk({ keys: [firstSigningKey] })]);
  clerk = standIn;
  const { hostname, port } = new URL(url);
  const settings = {
    ...topics, LOG_FORMAT: 'json', DATABASE_HOST: hostname, DATABASE_PORT: port, DATABASE_NAME: 'rotating', DATABASE_USERNAME: 'rotating', DATABASE_PASSWORD_FILE: files.password,
  };
  [ingest, worker] = await Promise.all([
    startIngest({ ...settings, CLERK_WEBHOOK_SIGNING_SECRET: '', CLERK_WEBHOOK_SIGNING_SECRET_FILE: files.webhook, CLERK_API_URL: clerk.url, CLERK_SECRET_KEY_FILE: files.key, CLERK_ISSUER: 'https://clerk.example.com', VERIFY_STALE_MS: '0', VERIFY_CACHE_MS: '0' }),
    startWorker(settings),
  ]);
});

after(async () => {
  await root?.end();
  await postgresServer('remove', server);
});

const deliver = async (secret, user = clerkUser()) => (await sendWebhook(ingest.url, secret, { body: userCreated(user) })).status;
const becomes = (secret, status) => waitFor(async () => (await deliver(secret)) === status, { what: `${status} for a secret`, everyMs: 50 });
const verify = async (id, key) => {
  const answer = await fetch(`${ingest.url}/v1/auth/verify`, { headers: { authorization: `Bearer ${key.sign({ sub: id })}` }, signal: AbortSignal.timeout(15_000) });
  await answer.arrayBuffer();
  return answer.status;
};
const errors = (program) => linesOf(program).filter(({ level }) => level === 'error');

test('rotation: webhook secrets change without a restart; a bad file keeps the previous value', async () => {
  assert.deepEqual([await deliver(webhookSecret), await deliver(nextSecret)], [200, 401]);
  replace(files.webhook, `${webhookSecret},${nextSecret}\n`);
  await becomes(nextSecret, 200);
  assert.equal(await deliver(webhookSecret), 200);
  replace(files.webhook, nextSecret);
  await becomes(webhookSecret, 401);
  assert.equal(await deliver(nextSecret), 200);

  const spoil = { 'half of a secret': () => replace(files.webhook, nextSecret.slice(0, 20)), nothing: () => replace(files.webhook, ''), 'no file': () => rmSync(files.webhook) };
  for (const [what, how] of Object.entries(spoil)) {
    const before = errors(ingest).length;
    how();
    const line = await waitFor(() => errors(ingest)[before], { what: `a line about ${what}` });
    assert.equal(line.file, files.webhook);
    assert.equal(await deliver(nextSecret), 200, what);
    assert.equal(errors(ingest).length, before + 1, `${what} is reported once`);
  }
  replace(files.webhook, webhookSecret);
  await becomes(webhookSecret, 200);
  assert.equal((await readiness(ingest)).status, 200);
});

test("rotation: Clerk's secret and signing keys are replaced, withdrawn keys fail [F22]", async () => {
  const [first, second, third] = [clerkUser(), clerkUser(), clerkUser()];
  for (const user of [first, second, third]) clerk.users.set(user.id, user);
  assert.equal(await verify(first.id, firstSigningKey), 200);

  replace(files.key, nextKey.slice(0, 7)); // half of it
  assert.equal(await verify(second.id, firstSigningKey), 200);
  const line = await lineComes(ingest, { level: 'error', file: files.key });
  assert.match(line.msg, /keeping the previous key/);
  clerk.secretKey = nextKey;
  replace(files.key, nextKey);
  assert.equal(await verify(third.id, firstSigningKey), 200);
  await lineComes(ingest, { level: 'info', file: files.key });

  clerk.keys = [nextSigningKey];
  assert.equal(await verify(first.id, nextSigningKey), 200);
  await waitFor(async () => (await verify(first.id, firstSigningKey)) === 401, { what: 'the withdrawn key refused' });
  assert.equal(clerk.asked.refused, 0);
});

test('rotation: both programs take a new database password; an empty file is reported [I7, I9]', async () => {
  const user = clerkUser();
  assert.equal(await deliver(webhookSecret, user), 200);
  await rowComes(user.id);
  clerk.keys = [nextSigningKey];
  assert.equal(await verify(user.id, nextSigningKey), 200);

  await root.query(`alter role rotating password '${nextPassword}'`);
  replace(files.password, '');
  await root.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'rotating'");
  const waiting = clerkUser();
  assert.equal(await deliver(webhookSecret, waiting), 200);
  await waitFor(async () => (await worker.metrics()).value('clerk_worker_paused', { cause: 'database' }) === 1, { what: 'the worker waits for the database' });
  await waitFor(async () => (await verify(user.id, nextSigningKey)) === 503, { what: '503 for a row that cannot be read' });
  for (const program of [ingest, worker]) await lineComes(program, { level: 'error', fault: /^DATABASE_PASSWORD_FILE names an empty file/ });

  replace(files.password, `${nextPassword}\n`);
  await rowComes(waiting.id);
  await waitFor(async () => (await readiness(worker)).status === 200, { what: 'the worker ready again' });
  await waitFor(async () => (await verify(user.id, nextSigningKey)) === 200, { what: 'tokens are good again', deadlineMs: 30_000 });
  for (const program of [ingest, worker]) assert.ok(findLine(program, { level: 'info', msg: /^read the changed database settings/ }));
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
});

test('rotation: no secret is in a log [I6]', async () => {
  for (const program of [ingest, worker]) {
    assert.equal((await program.stop()).code, 0);
    assertWithout(program.log(), [webhookSecret, nextSecret, clerkSecretKey, nextKey, firstPassword, nextPassword], program.logFile);
  }
});
