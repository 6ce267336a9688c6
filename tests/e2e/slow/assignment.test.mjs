// needs: database, kafka
// KAFKA_PARTITION_ASSIGNMENT_STRATEGY on a real Kafka: workers are replaced one by one, and a worker whose strategy the
// group does not use is rejected with the cause and the fix.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, test } from 'node:test';
import { findLine, lineComes, linesOf } from '../log-lines.mjs';
import { connectKafka, eventRecord } from '../records.mjs';
import { clerkUser, command, kafkaIsReal, newTablesDatabase, newTopics, readiness, startWorker, userCreated, waitFor } from '../support.mjs';

const variable = 'KAFKA_PARTITION_ASSIGNMENT_STRATEGY';
const skip = kafkaIsReal ? false : 'dev-broker does not compare the strategies of a group';

// 'X.Y.Z' of the library that the worker runs with: as --version prints it, else of the package it was built with.
async function librdkafkaVersion() {
  const { stdout } = await command('clerk-worker', ['--version']);
  const printed = /librdkafka (\d+\.\d+\.\d+)/.exec(stdout);
  return printed ? printed[1] : execFileSync('pkg-config', ['--modversion', 'rdkafka'], { encoding: 'utf8' }).trim();
}

async function cooperativeIsSound() {
  const [major, minor, patch] = (await librdkafkaVersion()).split('.').map(Number);
  return major * 1e6 + minor * 1e3 + patch >= 2_006_001;
}

let kafka;
before(async () => {
  kafka = await connectKafka();
});

// A database, topics, and users that are published on demand.
async function newStage(strategy) {
  const [database, topics] = await Promise.all([newTablesDatabase(), newTopics({ partitions: 6 })]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const environment = { ...topics, DATABASE_URL: database.url, LOG_FORMAT: 'json' };
  let published = 0;
  const rows = async () => (await database.rows('select 1 from up_users where clerk_id is not null')).length;
  const publish = async (count) => {
    await Promise.all(Array.from({ length: count }, () => kafka.append(topics.TOPIC_USER_EVENTS, eventRecord(userCreated(clerkUser())))));
    published += count;
  };
  const allApplied = () => waitFor(async () => (await rows()) === published, { what: `${published} users`, deadlineMs: 60_000 });
  const check = (chosen) => command('clerk-worker', ['check'], { ...environment, ...(chosen ? { [variable]: chosen } : {}) });
  const newWorker = (options) => startWorker({ ...environment, ...(strategy ? { [variable]: strategy } : {}) }, options);
  return { database, topics, environment, publish, allApplied, check, newWorker };
}

const held = async (worker, topic) =>
  ((await worker.metrics()).text.match(new RegExp(`^clerk_worker_lag_records\\{.*topic="${topic}"`, 'gm')) ?? []).length;

// Each worker has a third of the partitions.
const shared = (stage, workers) =>
  waitFor(async () => (await Promise.all(workers.map((one) => held(one, stage.topics.TOPIC_USER_EVENTS)))).every((count) => count === 2), { what: 'two partitions for each worker', deadlineMs: 60_000 });

async function rollOneByOne(stage) {
  const workers = await Promise.all([0, 1, 2].map(() => stage.newWorker()));
  const ended = [];
  await shared(stage, workers);
  for (const i of [0, 1, 2]) {
    await stage.publish(30);
    assert.deepEqual(await workers[i].stop(), { code: 0, signal: null }, workers[i].tail());
    ended.push(workers[i]);
    await stage.publish(30);
    await stage.allApplied();
    workers[i] = await stage.newWorker();
    await stage.publish(30);
    await stage.allApplied();
    await shared(stage, workers);
  }
  for (const worker of [...workers, ...ended]) assert.deepEqual(linesOf(worker).filter(({ level }) => level === 'error'), [], worker.tail());
  await waitFor(async () => (await Promise.all(workers.map((one) => one.metrics()))).every((page) => page.value('clerk_worker_paused') === 0), { what: 'no worker paused' });
  assert.equal(await kafka.length(stage.topics.TOPIC_DEAD_LETTERS), 0);
  return workers;
}

test('assignment: three workers of the default strategy are replaced one by one [I2, I7, I9]', async () => {
  const stage = await newStage();
  await rollOneByOne(stage);
  const { code, stdout } = await stage.check();
  assert.equal(code, 0, stdout);
  assert.match(stdout, new RegExp(`^ok +group ${stage.topics.KAFKA_GROUP_ID}: [1-3] members?`, 'm'));
  assert.doesNotMatch(stdout, /assignment strategy/);
});

test('assignment: cooperative-sticky needs librdkafka 2.6.1, is rejected before [I2, I7, I9]', async (t) => {
  const stage = await newStage('cooperative-sticky');
  const sound = await cooperativeIsSound();
  t.diagnostic(`librdkafka ${await librdkafkaVersion()}`);
  if (!sound) {
    const worker = await stage.newWorker({ wait: false });
    assert.equal((await worker.exited).code, 2, worker.tail());
    const log = worker.log();
    for (const part of [variable, 'cooperative-sticky', '100 % CPU', '2.6.1', 'remove the variable']) assert.ok(log.includes(part), log);
    assert.equal((await stage.check('cooperative-sticky')).code, 2);
    return;
  }
  const workers = await rollOneByOne(stage);
  for (const worker of workers) assert.equal(findLine(worker, { msg: /lost/ }), undefined);
  const { code, stdout } = await stage.check('cooperative-sticky');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^ok +assignment strategy cooperative-sticky: .*stop all workers/m);
});

// The brokers behave the same for each pair; every librdkafka supports roundrobin.
for (const other of (await cooperativeIsSound()) ? ['roundrobin', 'cooperative-sticky'] : ['roundrobin']) {
  test(`assignment: a worker with ${other} among range workers is not ready until they left`, { skip }, async () => {
    const stage = await newStage();
    const worker = await stage.newWorker();
    await stage.publish(10);
    await stage.allApplied();

    const checked = await stage.check(other);
    assert.equal(checked.code, 1, checked.stdout);
    assert.match(checked.stdout, new RegExp(`^FAULT +group ${stage.topics.KAFKA_GROUP_ID}: 1 member with the assignment strategy range, .* has ${other}: stop all workers .*${variable}`, 'm'));

    const kept = await startWorker({ ...stage.environment, [variable]: other }, { wait: false });
    const line = await lineComes(kept, { level: 'error', msg: /cannot join the consumer group/ }, 30_000);
    assert.match(line.msg, new RegExp(`stop all workers of the group.*${variable}`));
    assert.ok([0, 1, 2].map((i) => stage.topics.KAFKA_GROUP_ID + ['', '.user-provisioning', '.snapshots'][i]).includes(line.group));
    const { status, failing } = await waitFor(async () => {
      const answer = await readiness(kept);
      return answer.failing.length > 0 && answer.failing.every(({ detail }) => detail?.includes(variable)) && answer;
    }, { what: 'readiness names the variable', deadlineMs: 30_000 });
    assert.equal(status, 503);
    assert.ok(failing.some(({ check }) => check === 'events'), JSON.stringify(failing));

    // The old worker is not disturbed, and the new one takes over when it leaves.
    await stage.publish(10);
    await stage.allApplied();
    await waitFor(async () => (await readiness(worker)).status === 200, { what: 'the old worker is ready' });
    assert.equal((await worker.stop()).code, 0);
    await waitFor(async () => (await readiness(kept)).status === 200, { what: 'the other worker is ready', deadlineMs: 30_000 });
    await stage.publish(10);
    await stage.allApplied();
  });
}
