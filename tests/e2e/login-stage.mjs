// A real Kafka that requires a login, and both programs as its clients. The result of a SCRAM login depends
// on the librdkafka of the programs under test: before 2.6.1, Kafka 4 rejects it.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  clerkUser, command, createTopics, newTablesDatabase, sendWebhook, startIngest, startWorker, uniqueName,
  userCreated, waitFor, webhookSecret,
} from './support.mjs';
import { kafkaServer } from '../tools/scripts.mjs';


export const userName = 'clerk-login-user';
const rightPassword = 'the-right-password';
export const wrongPassword = 'another-password';
export const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

// --- brokers

export async function startLoginKafka(version, { settings = '' } = {}) {
  const folder = path.join(process.env.TEST_RUN_DIR, uniqueName('login-kafka'));
  mkdirSync(folder, { recursive: true });
  if (settings) writeFileSync(path.join(folder, 'extra.properties'), settings);
  const plain = await kafkaServer('start', folder, '--version', version, '--sasl', `${userName}:${rightPassword}`);
  return { version, plain, brokers: await kafkaServer('bootstrap', folder, '--sasl'), remove: () => kafkaServer('remove', folder) };
}

export const login = (kafka, mechanism, password = rightPassword) => ({
  KAFKA_BROKERS: kafka.brokers,
  KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: userName,
  KAFKA_SASL_PASSWORD: password,
});

// The product's four topics on these brokers, as the variables that name them.
export async function newTopicsOn(kafka) {
  const prefix = uniqueName('clerk').replaceAll('_', '-');
  const names = { TOPIC_USER_EVENTS: 'user-events', TOPIC_PROVISIONING: 'user-provisioning', TOPIC_SNAPSHOTS: 'user-snapshots', TOPIC_DEAD_LETTERS: 'dead-letters' };
  const variables = Object.fromEntries(Object.entries(names).map(([variable, name]) => [variable, `${prefix}.${name}`]));
  await createTopics(Object.values(variables), { brokers: kafka.plain });
  return { ...variables, KAFKA_GROUP_ID: `${prefix}-group` };
}

// --- the library under test

const numbers = (version) => version.split('.').map(Number);
const isBelow = (version, other) => {
  const [a, b] = [numbers(version), numbers(other)];
  const at = a.findIndex((number, place) => number !== b[place]);
  return at >= 0 && a[at] < b[at];
};

// Every library that a program names: {librdkafka: '2.0.2', …}.
export async function librariesOf(program) {
  const { code, stdout, stderr } = await command(program, ['--version']);
  assert.equal(code, 0, stderr);
  return Object.fromEntries(stdout.trim().split('\n').slice(1).map((line) => line.split(' ')));
}

const librdkafka = async () => (await librariesOf('clerk-worker')).librdkafka;
export const scramIsBroken = async () => isBelow(await librdkafka(), '2.6.1');
// Debian 12's 2.0.2 opens a new connection instead; Debian 13's 2.8.0 logs in again on the one that it has.
export const logsInAgain = async () => !isBelow(await librdkafka(), '2.8.0');
export const isAccepted = async (kafka, mechanism) => mechanism === 'PLAIN' || isBelow(kafka.version, '4.0.0') || !(await scramIsBroken());

// --- a site whose programs log in

export async function newLoginSite(kafka, mechanism) {
  const database = await newTablesDatabase();
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const topics = await newTopicsOn(kafka);
  const environment = { ...login(kafka, mechanism), ...topics };
  return {
    database,
    environment,
    ingest: (options) => startIngest(environment, options),
    worker: (options) => startWorker({ ...environment, DATABASE_URL: database.url }, options),
    command: (program, words, more = {}) =>
      command(program, words, { ...environment, DATABASE_URL: database.url, CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret, STRAPI_PROFILE_CONTENT_TYPES: 'api::user-profile.user-profile', ...more }),
    rowsOf: async (ids) => (await database.rows('select clerk_id from up_users where clerk_id = any($1)', [ids])).map((row) => row.clerk_id),
  };
}

// What a successful check prints. A broker may need a moment to see the topics that the test has just created.
export async function checkPasses(site, program, environment = {}) {
  return waitFor(async () => {
    const { code, stdout } = await site.command(program, ['check'], environment);
    if (code !== 0) throw new Error(stdout);
    return stdout;
  }, { what: `${program} check`, deadlineMs: 60_000 });
}

export const send = (ingest, user) => sendWebhook(ingest.url, webhookSecret, { body: userCreated(user) });

export async function aWebhookBecomesARow(site, ingest) {
  const user = clerkUser();
  assert.equal((await send(ingest, user)).status, 200);
  await waitFor(async () => (await site.rowsOf([user.id])).length === 1, { what: 'the row of the webhook', deadlineMs: 60_000 });
}

// The whole pipeline with this mechanism; or, where the library cannot, its cause in the log, /readyz and check.
export async function programsLogIn(kafka, mechanism) {
  const site = await newLoginSite(kafka, mechanism);
  await Promise.all(['clerk-ingest', 'clerk-worker'].map((program) => checkPasses(site, program)));
  const [ingest, worker] = await Promise.all([site.ingest(), site.worker()]);
  await aWebhookBecomesARow(site, ingest);
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  await Promise.all([ingest.stop(), worker.stop()]);
}
