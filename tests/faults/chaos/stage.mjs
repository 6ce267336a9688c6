// The set-up of a chaos run: a PostgreSQL and a Kafka of three brokers of its own, a gate before each of them, several
// instances of both programs. Each part has the verbs that the nemesis uses.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { instanceId, newSigningKey } from '../../e2e/clerk.mjs';
import { command, newTablesDatabase, newTopics, startIngest, startWorker } from '../../e2e/support.mjs';
import { Gate } from '../gate.mjs';
import { kafkaServer, postgresServer } from '../../tools/scripts.mjs';


export const profileTypes = ['user_profiles', 'member_profiles'];

async function startKafka(folder, brokers) {
  const gates = await Promise.all(Array.from({ length: brokers }, () => Gate.open()));
  const bootstrap = await kafkaServer('start', folder, '--brokers', String(brokers), '--gates', gates.map((gate) => gate.port).join());
  gates.forEach((gate, i) => gate.leadTo(Number(readFileSync(path.join(folder, `broker-${i + 1}.gated`), 'utf8'))));
  return {
    bootstrap, // past the gates
    gated: gates.map((gate) => `127.0.0.1:${gate.port}`).join(),
    gates,
    stopBroker: (n, { kill = false } = {}) => kafkaServer('stop-broker', folder, String(n), ...(kill ? ['--kill'] : [])),
    startBroker: (n) => kafkaServer('start-broker', folder, String(n)),
  };
}

async function startPostgres(folder) {
  const url = new URL(await postgresServer('start', folder, '--no-fsync'));
  const [forWorkers, forIngest] = await Promise.all([Gate.open(Number(url.port)), Gate.open(Number(url.port))]);
  const by = (gate, address) => {
    const other = new URL(address);
    other.port = gate.port;
    return other.href;
  };
  return {
    url: url.href,
    gates: [forWorkers, forIngest],
    crash: () => postgresServer('stop', folder, '--immediate'),
    start: () => postgresServer('start', folder, '--no-fsync'),
    forWorkers: (address) => by(forWorkers, address),
    forIngest: (address) => by(forIngest, address),
  };
}

// Local users of the site: some have values that Clerk's users desire.
const localUsers = `insert into public.up_users (document_id, username, email, provider, password, confirmed, blocked, created_at, updated_at, published_at)
  select 'local' || lpad(n::text, 3, '0') || repeat('0', 16), 'local' || n, case when n <= 6 then 'shared' || n || '@example.com' else 'local' || n || '@example.com' end,
         'local', 'secret', true, n % 4 = 0, '2024-01-01', '2024-01-01', '2024-01-01' from generate_series(1, 20) n;
  insert into public.up_users_role_lnk (user_id, role_id, user_ord)
  select u.id, r.id, row_number() over (order by u.id) from public.up_users u, public.up_roles r where r.type = 'authenticated'`;

export async function setStage(folder, random, { brokers, ingests, workers, history }) {
  const [kafka, postgres] = await Promise.all([startKafka(path.join(folder, 'kafka'), brokers), startPostgres(path.join(folder, 'postgres'))]);
  process.env.TEST_DATABASE_URL = postgres.url;
  const replication = Math.min(3, brokers);
  const [database, topics] = await Promise.all([
    newTablesDatabase(),
    newTopics({ brokers: kafka.bootstrap, replication, partitions: 6, config: { 'cleanup.policy': 'delete', 'min.insync.replicas': String(Math.max(1, replication - 1)) } }),
  ]);
  const key = newSigningKey();
  const shared = { ...topics, KAFKA_BROKERS: kafka.gated, CLERK_INSTANCE_IDS: instanceId };
  const rules = {
    EMAIL_CONFLICT: ['link', 'placeholder'][random.next(2)],
    DELETE_POLICY: ['delete', 'block'][random.next(2)],
  };
  const settings = {
    ingest: { ...shared, DATABASE_URL: postgres.forIngest(database.url), CLERK_JWT_KEY: key.pem, CLERK_ISSUER: 'https://clerk.example.com' },
    worker: { ...shared, ...rules, DATABASE_URL: postgres.forWorkers(database.url), STRAPI_PROFILE_CONTENT_TYPES: 'user-profile,member-profile' },
  };
  const migrated = await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url, KAFKA_BROKERS: kafka.bootstrap });
  if (migrated.code !== 0) throw new Error(migrated.stderr);
  await database.rows(localUsers);

  const stage = {
    kafka, postgres, database, topics, key, rules,
    programs: [],
    gates: [...kafka.gates, ...postgres.gates],
    // Starts an instance in a place of its own; a test announces each stop, an unannounced end is a crash.
    async start(kind, { wait = false } = {}) {
      const one = await (kind === 'ingest' ? startIngest : startWorker)(settings[kind], { wait });
      one.kind = kind;
      stage.programs.push(one);
      history.write('started', { program: one.logFile, kind });
      one.exited.then(({ code, signal }) => {
        stage.programs = stage.programs.filter((other) => other !== one);
        if (!one.expectedToEnd) history.write('crashed', { program: one.logFile, kind, code, signal });
      });
      return one;
    },
    of: (kind) => stage.programs.filter((one) => one.kind === kind && !one.expectedToEnd),
    // An instance that one injector is ending is only waited for by the other.
    async kill(one) {
      if (one.expectedToEnd) return void (await one.exited);
      one.expectedToEnd = true;
      await one.kill();
    },
    async stop(one) {
      if (one.expectedToEnd) return void (await one.exited);
      one.expectedToEnd = true;
      const begin = Date.now();
      const end = await one.stop({ deadlineMs: 30_000 }).catch((error) => ({ code: null, error: error.message.split('\n')[0] }));
      history.write('stopped', { program: one.logFile, kind: one.kind, code: end.code, signal: end.signal, ms: Date.now() - begin, error: end.error });
    },
  };
  await Promise.all([...Array.from({ length: ingests }, () => stage.start('ingest', { wait: true })), ...Array.from({ length: workers }, () => stage.start('worker', { wait: true }))]);
  return stage;
}
