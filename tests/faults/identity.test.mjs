// needs: database, kafka
// Two workers with one static identity (KAFKA_GROUP_INSTANCE_ID copied into two deployments). Kafka accepts the
// younger and fences the older, for good; a program that stayed would look alive and never apply an event.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { connectKafka, eventRecord } from '../e2e/records.mjs';
import { clerkUser, command, newTablesDatabase, newTopics, startWorker, userCreated, waitFor } from '../e2e/support.mjs';

let kafka;
before(async () => {
  kafka = await connectKafka();
});

test('identity: with KAFKA_GROUP_INSTANCE_ID used twice the older worker exits 1 [F19, I4, I7]', async (t) => {
  const [database, topics] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 4 })]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const settings = { ...topics, DATABASE_URL: database.url, KAFKA_GROUP_INSTANCE_ID: 'the-one' };
  const publish = (users) => Promise.all(users.map((user) => kafka.append(topics.TOPIC_USER_EVENTS, eventRecord(userCreated(user)))));
  const until = (count) => waitFor(async () => (await database.rows('select 1 from up_users where clerk_id is not null')).length === count, { what: `${count} users`, deadlineMs: 30_000 });
  const users = (count) => Array.from({ length: count }, () => clerkUser());

  const older = await startWorker(settings);
  await publish(users(10));
  await until(10);

  const twin = startWorker(settings);
  await publish(users(20));
  const begin = Date.now();
  const end = await Promise.race([older.exited, waitFor(() => Date.now() > begin + 25_000, { what: '25 s', deadlineMs: 30_000 })]);
  assert.equal(end?.code, 1, `the older worker should have ended with 1\n${older.tail()}`);
  t.diagnostic(`ended ${Date.now() - begin} ms after its twin was started`);
  const errors = older.log().split('\n').filter((line) => line.includes('"level":"error"')).map((line) => JSON.parse(line));
  assert.equal(errors.length, 1, older.tail());
  assert.match(errors[0].detail, /KAFKA_GROUP_INSTANCE_ID/);

  const younger = await twin;
  await publish(users(20));
  await until(50);
  assert.equal((await younger.metrics()).value('clerk_worker_dead_letters_total'), 0);
  const doubles = await database.rows('select clerk_id from up_users where clerk_id is not null group by 1 having count(*) > 1');
  assert.deepEqual(doubles, []);
  assert.equal((await database.rows('select 1 from up_users_role_lnk l join up_users u on u.id = l.user_id where u.clerk_id is not null')).length, 50);
  assert.ok(younger.running());
  assert.equal((await younger.stop()).code, 0);
});
