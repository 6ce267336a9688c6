// needs: database, kafka
// The whole pipeline compared with the reference model (tests/model): the records of the topics, the rows before and after, and
// an admin's edits in between go to its checker, which folds the records and compares every row.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { history, randomFrom } from './history.mjs';
import { connectKafka, eventRecord } from './records.mjs';
import {
  clerkUser, command, newTablesDatabase, newTopics, repository, sendWebhook, startIngest, startWorker, uniqueName,
  userUpdated, waitFor, webhookSecret,
} from './support.mjs';

const types = ['user_profiles', 'member_profiles'];
const tables = ['up_users', 'up_users_role_lnk', 'up_roles', 'clerk_sync.user_state', 'clerk_sync.next_offset', ...types.flatMap((type) => [type, `${type}_user_lnk`])];

let kafka;
before(async () => {
  kafka = await connectKafka();
});

async function dump(database) {
  const rows = {};
  for (const table of tables) rows[table] = (await database.rows(`select coalesce(json_agg(to_json(t)), '[]') as all from ${table} t`))[0].all;
  return rows;
}

function file(name, value) {
  const place = path.join(process.env.TEST_RUN_DIR, `${uniqueName(name)}.json`);
  writeFileSync(place, Array.isArray(value) ? value.map((line) => `${JSON.stringify(line)}\n`).join('') : JSON.stringify(value));
  return place;
}

// {code, stdout}: 0, or 1 and a line for each difference.
const check = ({ records, initial, edits, after }) => new Promise((resolve) => {
  const coded = records.map((record) => ({ ...record, value: record.value === null ? null : Buffer.from(record.value).toString('base64') }));
  const given = ['--records', file('records', coded), '--initial', file('initial', initial), '--edits', file('edits', edits), '--dump', file('dump', after)];
  const checker = path.join(repository, 'tests/model/checker.py');
  execFile('python3', ['-B', checker, ...given, '--set', 'EMAIL_CONFLICT=placeholder'], (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
});

test("model: rows equal the model's after copies, bad records, a kill [I2, I3, I4, I7, I10]", async (t) => {
  const seed = process.env.SEED || randomBytes(6).toString('hex');
  t.diagnostic(`seed ${seed}`);
  const random = randomFrom(seed);
  const [database, topics] = await Promise.all([newTablesDatabase(), newTopics()]);
  const settings = { ...topics, DATABASE_URL: database.url, EMAIL_CONFLICT: 'placeholder', STRAPI_PROFILE_CONTENT_TYPES: 'user-profile,member-profile' };
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
  assert.equal(migrated.code, 0, migrated.stderr);
  const ingest = await startIngest({ ...topics });

  await database.rows(`insert into public.up_users (document_id, username, email, provider, password, confirmed, blocked, created_at, updated_at, published_at)
    select 'local' || n || repeat('0', 18), 'local' || n, 'local' || n || '@example.com', 'local', 'secret', true, false, '2024-01-01', '2024-01-01', '2024-01-01' from generate_series(1, 5) n`);
  const initial = await dump(database);

  const events = history(random, { users: 8, deleted: 3 });
  const wanting = clerkUser({ id: `user_2wanting${random.next(1e9)}`, email: 'local3@example.com', username: 'local4' });
  events.push({ message: 'msg_wanting', body: userUpdated(wanting) });
  const sequence = random.shuffled([...events, ...random.shuffled(events).slice(0, 60)]);
  const [records, deadLetters] = await Promise.all([kafka.follow(topics.TOPIC_USER_EVENTS), kafka.follow(topics.TOPIC_DEAD_LETTERS)]);
  const workers = await Promise.all([startWorker(settings), startWorker(settings)]);
  const send = async (all) => {
    const queue = [...all];
    await Promise.all(Array.from({ length: 8 }, async () => {
      while (queue.length > 0) {
        const { message, body } = queue.shift();
        assert.equal((await sendWebhook(ingest.url, webhookSecret, { body, id: message })).status, 200);
      }
    }));
  };
  await send(sequence.slice(0, 100));
  const poison = userUpdated(clerkUser());
  await kafka.append(topics.TOPIC_USER_EVENTS, { ...eventRecord(poison), key: 'user_2somebodyelse' });
  await kafka.append(topics.TOPIC_USER_EVENTS, eventRecord(poison, { headers: { ce_type: 'clerk.user.renamed' } }));
  await workers[0].kill();
  await send(sequence.slice(100));

  const ends = await kafka.ends(topics.TOPIC_USER_EVENTS);
  await waitFor(async () => {
    const rows = await database.rows('select partition, value from clerk_sync.next_offset where topic = $1', [topics.TOPIC_USER_EVENTS]);
    const next = Object.fromEntries(rows.map(({ partition, value }) => [partition, Number(value)]));
    return Object.entries(ends).every(([partition, end]) => end === 0 || next[partition] === end);
  }, { what: 'everything applied', deadlineMs: 30_000, everyMs: 100 });
  await waitFor(() => records.length === sequence.length + 2 && deadLetters.length >= 2, { what: 'all records read back' });

  const [{ clerk_id: blocked }] = await database.rows('select clerk_id from public.up_users where clerk_id is not null and not blocked limit 1');
  await database.rows('update public.up_users set blocked = true where clerk_id = $1', [blocked]);
  const edits = [{ clerk_id: blocked, when: 'after', set: { blocked: true } }];
  const run = { records: [...records, ...deadLetters], initial, edits };
  const after = await dump(database);

  const right = await check({ ...run, after });
  assert.equal(right.code, 0, right.stdout + right.stderr);
  t.diagnostic(right.stdout.trim());

  // The checker finds faults: a row of a deleted user, an older name, a lost record.
  const wrong = structuredClone(after);
  wrong.up_users.find((row) => row.clerk_id !== null).full_name = 'Older';
  wrong.up_users.find((row) => row.clerk_id === null).email = 'changed@example.com';
  wrong['clerk_sync.next_offset'][0].value -= 1;
  const report = await check({ ...run, after: wrong });
  assert.equal(report.code, 1, report.stderr);
  for (const word of ['full_name', 'local user', 'next offset']) assert.match(report.stdout, new RegExp(word));
  // A killed worker may have dead-lettered a record twice.
  const placeOf = ({ headers }) => `${headers.dlq_topic} ${headers.dlq_partition} ${headers.dlq_offset}`;
  const others = deadLetters.filter((record) => placeOf(record) !== placeOf(deadLetters[0]));
  const unparked = await check({ ...run, records: [...records, ...others], after });
  assert.equal(unparked.code, 1);
  assert.match(unparked.stdout, /expected parked/);
});
