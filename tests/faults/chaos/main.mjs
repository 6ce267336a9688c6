// One chaos run (README.md): a load like Svix's, faults from a seed, everything recorded; then everything is
// repaired, and the run waits until the site is quiet. run_checker.py checks the result.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { randomFrom } from '../../e2e/history.mjs';
import { connectKafka, eventRecord } from '../../e2e/records.mjs';
import { clerkUser, readiness, userUpdated, waitFor } from '../../e2e/support.mjs';
import { History } from './history.mjs';
import { Nemesis } from './nemesis.mjs';
import { Sender } from './sender.mjs';
import { profileTypes, setStage } from './stage.mjs';
import { Visitor } from './visitor.mjs';
import { Watch } from './watch.mjs';

const quietWithinMs = 120_000;
const progressEveryMs = 10_000;
const poisonEveryMs = 2000;
const pulseEveryMs = 250;

const settings = JSON.parse(process.env.CHAOS_SETTINGS); // seed, minutes, rate, users, brokers, ingests, workers, folder
const { folder } = settings;
const say = (text) => process.stderr.write(`${text}\n`);

const tables = ['up_users', 'up_users_role_lnk', 'up_roles', 'clerk_sync.user_state', 'clerk_sync.next_offset', ...profileTypes.flatMap((type) => [type, `${type}_user_lnk`])];

async function dump(database) {
  const rows = {};
  for (const table of tables) rows[table] = (await database.rows(`select coalesce(json_agg(to_json(t)), '[]') as all from ${table} t`))[0].all;
  return rows;
}

const save = (name, value) =>
  writeFileSync(path.join(folder, name), Array.isArray(value) ? value.map((line) => `${JSON.stringify(line)}\n`).join('') : JSON.stringify(value));

// Records that none of our producers writes.
function poisoner(kafka, topic, random, history) {
  const bad = [
    (user) => ({ ...eventRecord(userUpdated(user)), key: 'user_2somebodyelse' }),
    (user) => eventRecord(userUpdated(user), { headers: { ce_type: 'clerk.user.renamed' } }),
    (user) => eventRecord(userUpdated(user), { headers: { ce_id: undefined } }),
    (user) => ({ ...eventRecord(userUpdated(user)), value: '{"type":' }),
    (user) => eventRecord(userUpdated({ ...user, updated_at: Date.now() + 86_400_000 * 365 })),
  ];
  const pour = () => {
    history.write('poison');
    kafka.append(topic, bad[random.next(bad.length)](clerkUser())).catch(() => {}); // the topic shows whether the record was stored
  };
  return setInterval(pour, poisonEveryMs);
}

async function quiet(stage, sender, kafka) {
  const { TOPIC_DEAD_LETTERS: deadLetters, KAFKA_GROUP_ID: group, ...read } = stage.topics;
  await waitFor(() => sender.open === 0 && sender.attempts === 0, { what: 'every message answered 2xx', deadlineMs: quietWithinMs, everyMs: 100 });
  await waitFor(async () => {
    const rows = await stage.database.rows('select topic, partition, value from clerk_sync.next_offset');
    const next = Object.fromEntries(rows.map(({ topic, partition, value }) => [`${topic} ${partition}`, Number(value)]));
    for (const topic of Object.values(read)) {
      for (const [partition, end] of Object.entries(await kafka.ends(topic))) if (end !== (next[`${topic} ${partition}`] ?? 0)) return false;
    }
    return true;
  }, { what: 'no lag', deadlineMs: quietWithinMs, everyMs: 200 });
  for (const one of stage.programs) {
    await waitFor(async () => (await readiness(one)).status === 200, { what: `${one.name} ready`, deadlineMs: 30_000, everyMs: 100 });
  }
}

async function dumpTopics(stage, kafka) {
  const records = [];
  for (const [variable, topic] of Object.entries(stage.topics)) {
    if (!variable.startsWith('TOPIC_')) continue;
    const length = await kafka.length(topic);
    const read = await kafka.follow(topic);
    await waitFor(() => read.length >= length, { what: `${topic} read back`, deadlineMs: 120_000, everyMs: 100 });
    records.push(...read);
  }
  save('records.jsonl', records.map((record) => ({ ...record, value: record.value === null ? null : Buffer.from(record.value).toString('base64') })));
  return records.length;
}

async function main() {
  mkdirSync(folder, { recursive: true });
  const history = new History(folder);
  const random = randomFrom(settings.seed);
  const generators = Object.fromEntries(['stage', 'sender', 'nemesis', 'poison', 'visitor'].map((who) => [who, randomFrom(`${settings.seed} ${who} ${random.next(1e9)}`)]));
  const stage = await setStage(folder, generators.stage, { ...settings, history });
  const kafka = await connectKafka(stage.kafka.bootstrap);
  save('initial.json', await dump(stage.database));
  save('settings.json', { ...settings, topics: stage.topics, rules: stage.rules });
  say(`${settings.ingests} ingests, ${settings.workers} workers, ${settings.brokers} brokers, ${JSON.stringify(stage.rules)}`);

  const instances = () => stage.of('ingest');
  const sender = new Sender({ random: generators.sender, history, instances, rate: settings.rate, users: settings.users });
  const visitor = new Visitor({ random: generators.visitor, history, instances, key: stage.key, users: () => sender.users });
  const watch = new Watch(stage, history, kafka);
  const nemesis = new Nemesis(stage, generators.nemesis, history);
  sender.start();
  visitor.start();
  watch.start();
  const poison = poisoner(kafka, stage.topics.TOPIC_USER_EVENTS, generators.poison, history);
  const began = Date.now();
  const progress = setInterval(() => {
    const { ok = 0, info = 0, fail = 0 } = history.counts;
    const faults = Object.values(nemesis.counts).reduce((sum, n) => sum + n, 0);
    say(`${String(Math.round((Date.now() - began) / 1000)).padStart(4)} s  ${sender.sent} messages, ${ok} ok, ${fail} refused, ${info} unknown, ${sender.open} open, ${faults} faults, ${watch.looks} looks`);
  }, progressEveryMs);

  let ticked = performance.now();
  const pulse = setInterval(() => {
    const lateMs = Math.round(performance.now() - ticked - pulseEveryMs);
    ticked = performance.now();
    if (lateMs > 500) history.write('stood-still', { ms: lateMs });
  }, pulseEveryMs);

  await nemesis.run(settings.minutes * 60_000 - Math.min(5000, settings.minutes * 6000));
  await pause(Math.max(0, began + settings.minutes * 60_000 - Date.now()));
  sender.stop();
  visitor.stop();
  clearInterval(poison);
  await nemesis.repair();
  history.write('repaired');
  const repaired = Date.now();
  try {
    await quiet(stage, sender, kafka);
    history.write('quiet', { ms: Date.now() - repaired });
    say(`quiet ${Date.now() - repaired} ms after the last fault was repaired`);
  } catch (error) {
    history.write('stuck', { why: error.message });
    say(`NOT quiet: ${error.message}`);
  }
  clearInterval(progress);
  await watch.stop();
  for (const one of [...stage.programs]) await stage.stop(one);
  clearInterval(pulse);
  const after = await dump(stage.database);
  save('after.json', after);
  say(`${await dumpTopics(stage, kafka)} records read back`);
  save('faults.json', nemesis.counts);
  await history.close();
  for (const gate of stage.gates) await gate.close();
}

await main().then(
  () => process.exit(0), // without waiting for idle connections of the clients to Kafka
  (error) => {
    say(`the run itself failed: ${error.stack}`);
    process.exit(3);
  },
);
