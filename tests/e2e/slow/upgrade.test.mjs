// needs: database, kafka, strapi, previous
// An upgrade from the previous landed version (tests/e2e/previous-version), and the rollback, while users sign in and webhooks
// arrive: its database, topics, group and grants; both programs replaced one by one. No test here names a table's columns, so
// they hold for every later change of clerk_sync.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBalancer } from '../balancer.mjs';
import { assertWellFormed } from '../log-lines.mjs';
import { connectKafka } from '../records.mjs';
import { clerkUser, kafkaIsReal, readUser, sendWebhook, startStrapi, userCreated, waitFor, webhookSecret } from '../support.mjs';
import { startLoad } from '../upgrade-load.mjs';
import { earlierSchemas, missingParts, newSite, pauseOf, previousFolder, readyOrWaitingForMigrate, versions, watchPauses } from '../upgrade-stage.mjs';

const skip = !previousFolder ? 'no programs of the previous version: run it by tests/run' : !kafkaIsReal && 'needs Apache Kafka: a group of two versions';

test('upgrade: migrate, rolling update and rollback lose no event and no login [I1, I2, I7, I9]', { skip }, async (t) => {
  const [site, kafka] = await Promise.all([newSite(), connectKafka()]);
  await site.migrate(versions.old);
  await site.grant(versions.old);
  await site.createTopics(versions.old);
  await site.createTopics(versions.new); // the new version's topics exist before its programs start
  const ingests = await Promise.all([site.ingest(versions.old), site.ingest(versions.old)]);
  const workers = await Promise.all([site.worker(versions.old), site.worker(versions.old)]);
  const ended = [];
  const pauses = watchPauses(workers);
  const balancer = startBalancer(ingests);
  const strapi = await startStrapi(site.database, { environment: { CLERK_INGEST_URL: await balancer.listen() } });
  const load = await startLoad({ balancer, database: site.database, strapi });
  const started = Date.now();
  const step = (name) => t.diagnostic(`${((Date.now() - started) / 1000).toFixed(1)} s: ${name}`);

  async function stop(list, program) {
    list.splice(list.indexOf(program), 1);
    assert.deepEqual(await program.stop(), { code: 0, signal: null }, program.tail());
    ended.push(program);
  }
  // The new one is ready before the old one stops, as a rolling update of a Deployment does it.
  async function replace(list, make, version) {
    const [leaving] = list;
    const program = await make(version);
    list.push(program);
    await stop(list, leaving);
    return program;
  }
  // Workers read the topics of both versions, so they come first on the way up and go last on the way back.
  async function replaceOneOfEach(version) {
    const steps = [() => replace(workers, site.worker, version), () => replace(ingests, site.ingest, version)];
    if (version === versions.old) steps.reverse();
    const replaced = [await steps[0](), await steps[1]()];
    await load.flows(ingests);
    return replaced;
  }

  step('both programs of the old version run');
  await load.flows(ingests);

  step('new programs start before migrate');
  const earlyWorker = await site.worker(versions.new, { wait: false });
  const waits = await readyOrWaitingForMigrate(earlyWorker);
  t.diagnostic(waits.ready ? 'the new worker runs with the old clerk_sync' : `the new worker waits: ${JSON.stringify(waits.failing)}`);
  const earlyIngest = await site.ingest(versions.new, { wait: false });
  const early = await readyOrWaitingForMigrate(earlyIngest);
  assert.ok(early.ready, `a new ingest must serve with the old clerk_sync: ${JSON.stringify(early.failing)}`);
  if (waits.ready) {
    workers.push(earlyWorker);
    ingests.push(earlyIngest);
    await load.flows(ingests);
  }
  await (waits.ready ? stop(ingests, earlyIngest) : earlyIngest.stop());
  await (waits.ready ? stop(workers, earlyWorker) : earlyWorker.stop());
  for (const program of waits.ready ? [earlyIngest, earlyWorker] : [earlyIngest]) t.diagnostic(`${program.name} before migrate reported: ${JSON.stringify(missingParts(program))}`);

  step('migrate: old programs run with the new clerk_sync');
  await site.migrate(versions.new);
  await load.flows(ingests);

  step('one of each is new, with the old grants');
  for (const program of await replaceOneOfEach(versions.new)) t.diagnostic(`${program.name} with the old grants reported: ${JSON.stringify(missingParts(program))}`);

  step('the new grants, and all are new');
  await site.grant(versions.new);
  for (const program of await replaceOneOfEach(versions.new)) assert.deepEqual(missingParts(program), [], 'with the new grants nothing is missing');
  assert.ok([...ingests, ...workers].every(({ version }) => version === versions.new));
  await site.operate(versions.new); // reads what the old programs wrote

  step('back to the old version');
  await replaceOneOfEach(versions.old);
  await replaceOneOfEach(versions.old);
  assert.ok([...ingests, ...workers].every(({ version }) => version === versions.old));

  await load.end();
  step(`the load has ended: ${load.summary()}`);
  await waitFor(async () => {
    const lags = await Promise.all(workers.map(async (worker) => (await worker.metrics()).value('clerk_worker_lag_records')));
    return lags.every((lag) => lag === 0);
  }, { what: 'no lag', deadlineMs: 30_000 });
  await site.operate(versions.old); // reads what the new programs wrote
  assert.equal(await kafka.length(site.topics.TOPIC_DEAD_LETTERS), 0);
  await pauses.end();
  await balancer.end();
  assert.deepEqual(pauses.seen, []);
  for (const program of [...ended, ...ingests, ...workers]) {
    assertWellFormed(program);
    missingParts(program);
  }
});

test('upgrade: a worker waits for an essential part of clerk_sync and names migrate [I9]', { skip }, async (t) => {
  const [site, kafka] = await Promise.all([newSite(), connectKafka()]);
  await site.createTopics(versions.new);
  await site.migrate(versions.new); // the indexes on Strapi's tables stay
  await site.grant(versions.new);
  const ingest = await site.ingest(versions.new);

  let essential; // the newest state that the worker cannot work with
  for (const schema of earlierSchemas()) {
    await site.database.rows('drop schema if exists clerk_sync cascade');
    for (const sql of schema.sql) await site.database.rows(sql);
    if (schema.sql.length > 0) await site.grant(versions.old);
    const { code, stdout } = await site.check(versions.new);
    t.diagnostic(`${schema.name}: ${code === 0 ? 'enough' : 'not enough'}`);
    if (code === 0) continue;
    assert.match(stdout, /^FAULT .*clerk-worker migrate/m, schema.name);
    essential = schema;
  }
  assert.ok(essential, 'without clerk_sync a worker cannot work');

  await site.database.rows('drop schema if exists clerk_sync cascade');
  for (const sql of essential.sql) await site.database.rows(sql);
  if (essential.sql.length > 0) await site.grant(versions.old);
  const worker = await site.worker(versions.new, { wait: false });
  const state = await readyOrWaitingForMigrate(worker);
  assert.ok(!state.ready, `ready with ${essential.name}`);
  await waitFor(async () => (await worker.metrics()).value('clerk_worker_paused', { cause: 'schema' }) === 1, { what: 'paused{cause="schema"}' });
  const user = clerkUser();
  assert.equal((await sendWebhook(ingest.url, webhookSecret, { body: userCreated(user) })).status, 200);

  await site.migrate(versions.new);
  await site.grant(versions.new);
  await waitFor(() => readUser(site.database, user.id), { what: 'the row of the event that waited', deadlineMs: 60_000 });
  await waitFor(async () => (await readyOrWaitingForMigrate(worker)).ready, { what: 'ready after migrate', deadlineMs: 30_000 });
  assert.equal(await pauseOf(worker), 0);
  assert.equal(await kafka.length(site.topics.TOPIC_DEAD_LETTERS), 0);
});
