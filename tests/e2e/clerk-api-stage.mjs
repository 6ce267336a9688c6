// A site, topics and a Clerk API for the commands that read Clerk: the set-up of backfill.test.mjs and
// reconcile.test.mjs. A worker runs beside them, as in production.

import assert from 'node:assert/strict';
import path from 'node:path';
import { startClerk } from './clerk-stand-in.mjs';
import { connectKafka } from './records.mjs';
import { buildFolder, clerkUser, command, instanceId, newTablesDatabase, newTopics, readUser, startProcess, startWorker, waitFor } from './support.mjs';

export const longAgo = Date.now() - 30 * 86_400_000;
// Users created one after the other, so that the order of creation is known.
export const people = (count, more = {}) =>
  Array.from({ length: count }, (_, i) => clerkUser({ updatedAt: longAgo + i * 1000, first_name: 'Ada', last_name: `No${i}`, ...more }));

export async function newStage({ users = [], migrate = true, worker: withWorker = true, environment = {}, topicConfig } = {}) {
  const [database, topics, kafka, clerk] = await Promise.all([newTablesDatabase(), newTopics({ config: topicConfig }), connectKafka(), startClerk({ users })]);
  if (migrate) assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const settings = {
    ...clerk.settings, ...topics, DATABASE_URL: database.url, CLERK_INSTANCE_IDS: instanceId,
    STRAPI_PROFILE_CONTENT_TYPES: 'api::user-profile.user-profile', KAFKA_BROKERS: process.env.TEST_KAFKA_BROKERS, ...environment,
  };
  const stage = {
    database, topics, kafka, clerk, settings,
    // Runs a command to its end; the request rate is not limited unless the test sets one.
    run: (args, more = {}) => command('clerk-worker', args.includes('--rate') ? args : [...args, '--rate', '100'], { ...settings, ...more }),
    // The same, to be signalled.
    start: (args, more = {}) => startProcess('clerk-worker', path.join(buildFolder, 'bin/clerk-worker'), [...args, '--rate', '100'], { ...settings, ...more }),
    read: (user) => readUser(database, user.id),
    // The number of records in a topic; a topic that was created just now may have no leader yet.
    length: async (topic) => (await waitFor(async () => ({ records: await kafka.length(topic) }), { what: `the length of ${topic}` })).records,
    // The worker has processed every record.
    async settled() {
      await waitFor(
        async () => {
          for (const topic of [topics.TOPIC_USER_EVENTS, topics.TOPIC_SNAPSHOTS]) {
            const [{ processed }] = await database.rows('select coalesce(sum(value), 0)::int as processed from clerk_sync.next_offset where topic = $1', [topic]);
            if (processed !== (await stage.length(topic))) return false;
          }
          return true;
        },
        { what: 'the worker has processed all records', deadlineMs: 30_000, everyMs: 100 },
      );
    },
    count: async (table) => (await database.rows(`select count(*)::int as count from ${table}`))[0].count,
  };
  if (withWorker) stage.worker = await startWorker(settings);
  return stage;
}

// A promise that the test resolves, and a page of Clerk's API that hangs until then.
export function gate() {
  const one = {};
  one.opened = new Promise((resolve) => { one.open = resolve; });
  one.reached = new Promise((resolve) => { one.reach = resolve; });
  return one;
}

export const hangAt = (clerk, wanted) => {
  const one = gate();
  clerk.behave = async (route, query) => {
    if (route !== '/v1/users' || !wanted(query)) return null;
    one.reach();
    await one.opened;
    return null;
  };
  return one;
};

export const json = (text) => JSON.parse(text);
export const jsonLines = (text) => text.trim().split('\n').map(json);
