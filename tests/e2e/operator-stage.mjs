// The set-up of the tests of the operator's commands: tables without Strapi, topics of few partitions, records
// written directly, and a worker while the test needs one.

import assert from 'node:assert/strict';
import path from 'node:path';
import { connectKafka, eventRecord } from './records.mjs';
import { buildFolder, command, instanceId, newTablesDatabase, newTopics, startProcess, startWorker, waitFor } from './support.mjs';

export const partitions = 3;

export async function setUp() {
  const [database, topics, kafka] = await Promise.all([newTablesDatabase(), newTopics({ partitions }), connectKafka()]);
  const variables = {
    ...topics,
    DATABASE_URL: database.url,
    STRAPI_PROFILE_CONTENT_TYPES: 'api::user-profile.user-profile',
    CLERK_INSTANCE_IDS: instanceId,
  };
  const migrated = await command('clerk-worker', ['migrate'], variables);
  assert.equal(migrated.code, 0, migrated.stderr);

  const stage = {
    database,
    topics,
    kafka,
    variables,
    // Runs a command to its end; `json` is its output, if that was requested.
    async run(...args) {
      const done = await command('clerk-worker', args, variables);
      return { ...done, json: args.includes('--json') && done.stdout ? JSON.parse(done.stdout) : undefined };
    },
    // The same, as a process that a test can signal.
    start: (...args) => startProcess('clerk-worker', path.join(buildFolder, 'bin/clerk-worker'), args, { KAFKA_BROKERS: process.env.TEST_KAFKA_BROKERS, ...variables }),
    worker: (more) => startWorker({ ...variables, ...more }),
    // Appends events of users, each where its key belongs.
    async publish(envelopes, topic = topics.TOPIC_USER_EVENTS) {
      for (const one of envelopes) await kafka.append(topic, eventRecord(one));
    },
    // Kafka's records have been processed and committed.
    async settled(topic = topics.TOPIC_USER_EVENTS) {
      const ends = await kafka.ends(topic);
      await waitFor(
        async () => {
          const stored = await database.rows('select partition, value::int from clerk_sync.next_offset where topic = $1', [topic]);
          const known = Object.fromEntries(stored.map(({ partition, value }) => [partition, value]));
          return Object.entries(ends).every(([partition, end]) => end === 0 || known[partition] === end);
        },
        { what: `${topic} applied` },
      );
    },
    positions: () => database.rows('select topic, partition, value from clerk_sync.next_offset order by 1, 2'),
    // All that a site shows of Clerk's users, except row ids and write times.
    shown: () =>
      database.rows(`select u.clerk_id, u.document_id, u.email, u.username, u.full_name, u.provider, u.confirmed, u.blocked, u.created_at, r.type as role,
                            p.document_id as profile, p.name
                       from up_users u join up_users_role_lnk l on l.user_id = u.id join up_roles r on r.id = l.role_id
                       left join user_profiles_user_lnk k on k.user_id = u.id left join user_profiles p on p.id = k.user_profile_id
                      order by u.clerk_id`),
  };
  return stage;
}
