// What the tests of readiness share: the state of /readyz, a migrated database, an ingest with sign-in.

import assert from 'node:assert/strict';
import { clerkUser, command, newSigningKey, newTablesDatabase, readiness, sendWebhook, uniqueName, userCreated, waitFor, webhookSecret } from './support.mjs';

const key = newSigningKey();

// The variables that make sign-in possible.
export const signIn = (url) => ({ DATABASE_URL: url, CLERK_JWT_KEY: key.pem, CLERK_ISSUER: 'https://clerk.example.com' });

export const deliver = async (ingest) => (await sendWebhook(ingest.url, webhookSecret, { body: userCreated(clerkUser()) })).status;
export const isReady = async (program) => (await readiness(program)).status === 200;
export const untilReady = (program, deadlineMs = 20_000) => waitFor(() => isReady(program), { what: `${program.name} ready`, deadlineMs });

// The detail of a check that is not ok; empty when it is.
export const lineOf = async (program, name = 'topics') => (await readiness(program)).failing.find(({ check }) => check === name)?.detail ?? '';

export const linesAbout = (program, word) => program.log().split('\n').filter((line) => line.includes(word));

export async function migratedTables() {
  const database = await newTablesDatabase();
  const { code, stderr } = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(code, 0, stderr);
  return database;
}

// Topic names that no broker has.
export function missingTopics() {
  const prefix = uniqueName('missing').replaceAll('_', '-');
  return Object.fromEntries(['USER_EVENTS', 'PROVISIONING', 'SNAPSHOTS', 'DEAD_LETTERS'].map((name) => [`TOPIC_${name}`, `${prefix}.${name.toLowerCase().replace('_', '-')}`]));
}
