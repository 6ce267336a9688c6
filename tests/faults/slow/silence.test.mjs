// needs: database, kafka
// A database that falls silent: connections that are open, whose bytes are accepted, and on which no response arrives. A pooler or
// a proxy whose own server is gone behaves like this; TCP detects no fault, so only the programs can end the wait.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectKafka, eventRecord } from '../../e2e/records.mjs';
import { clerkUser, command, newSigningKey, newTablesDatabase, newTopics, readiness, startIngest, startWorker, userCreated, waitFor } from '../../e2e/support.mjs';
import { Gate } from '../gate.mjs';

let kafka;
const gates = [];
before(async () => {
  kafka = await connectKafka();
});
after(() => Promise.all(gates.map((gate) => gate.close())));

// Ended by one SIGTERM while its database is silent.
async function stopsInTime(program) {
  const begin = Date.now();
  assert.deepEqual(await program.stop(), { code: 0, signal: null });
  assert.ok(Date.now() - begin < 9000, `stopped after ${Date.now() - begin} ms`);
}

async function newSite() {
  const [database, topics] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 1 })]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const url = new URL(database.url);
  const gate = await Gate.open(Number(url.port));
  gates.push(gate);
  url.port = gate.port;
  return {
    gate,
    settings: { ...topics, DATABASE_URL: url.href },
    publish: (user) => kafka.append(topics.TOPIC_USER_EVENTS, eventRecord(userCreated(user))),
    until: (user, deadlineMs) => waitFor(async () => (await database.rows('select 1 from up_users where clerk_id = $1', [user.id])).length === 1, { what: 'the row', deadlineMs }),
    deadLetters: () => kafka.length(topics.TOPIC_DEAD_LETTERS),
  };
}

test('silence: the worker replaces silent connections, dead-deadLetters nothing [F16, I1, I9]', async () => {
  const { gate, settings, publish, until, deadLetters } = await newSite();
  const [before, after] = [clerkUser(), clerkUser()];
  const worker = await startWorker(settings);
  await publish(before);
  await until(before);

  gate.stall();
  await publish(after);
  await until(after, 90_000);
  // Each pipeline polls by itself, the idle ones from time to time.
  await waitFor(() => worker.log().includes('the server sent nothing for 45000 ms'), { what: 'the reason is reported', deadlineMs: 60_000 });
  await waitFor(async () => (await readiness(worker)).status === 200, { what: 'the worker is ready', deadlineMs: 30_000 });
  assert.equal(await deadLetters(), 0);

  gate.freeze();
  await publish(clerkUser());
  await stopsInTime(worker);
});

test('silence: ingest reads users over a new connection, rejects no user for it [F16, I5, I9]', async () => {
  const { gate, settings, publish, until } = await newSite();
  const [first, second] = [clerkUser(), clerkUser()];
  const key = newSigningKey();
  const [worker, ingest] = await Promise.all([startWorker(settings), startIngest({ ...settings, CLERK_JWT_KEY: key.pem, CLERK_ISSUER: 'https://clerk.example.com' })]);
  const verify = async (user) => (await fetch(`${ingest.url}/v1/auth/verify`, { headers: { authorization: `Bearer ${key.sign({ sub: user.id })}` } })).status;
  for (const user of [first, second]) {
    await publish(user);
    await until(user);
  }
  assert.equal(await verify(first), 200);
  await worker.stop();

  gate.stall();
  const answers = [];
  await waitFor(async () => answers[answers.push(await verify(second)) - 1] === 200, { what: 'the user signs in', deadlineMs: 20_000 });
  assert.ok(answers.length > 1 && answers.slice(0, -1).every((status) => status === 503), answers.join());

  gate.freeze();
  assert.equal(await verify(clerkUser()), 503);
  await stopsInTime(ingest);
});
