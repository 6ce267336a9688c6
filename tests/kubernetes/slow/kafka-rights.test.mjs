// needs: database, packages, jars 3.9.1 4.3.1
// The rights of strimzi/users.yaml, set on a real Kafka with an authorizer: enough for the real programs, and no more.
// The users log in by SCRAM-SHA-512, as Strimzi creates them; at the newest Kafka that accepts it from the librdkafka of
// the programs. The database is TEST_DATABASE_URL's.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { scramIsBroken } from '../../e2e/login-stage.mjs';
import { command, newTablesDatabase, readiness, repository, startIngest, startWorker, uniqueName, waitFor, webhookSecret } from '../../e2e/support.mjs';
import { ofKind, render } from '../rendered.mjs';
import { kafkaServer } from '../../tools/scripts.mjs';

const { Kafka, AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes, logLevel } = createRequire(path.join(repository, 'tests/e2e/package.json'))('kafkajs');
const folder = path.join(process.env.TEST_RUN_DIR ?? path.join(repository, 'build/test-run/by-hand'), uniqueName('kafka'));

const strimzi = render('strimzi');
const users = ofKind(strimzi, 'KafkaUser');
const topics = ofKind(strimzi, 'KafkaTopic');
const [ingestUser, workerUser, tasksUser, kedaUser] = ['ingest', 'worker', 'tasks', 'keda'].map((each) => `clerk-${each}-kafka`);
const events = 'clerk.user-events';
const provisioning = 'clerk.user-provisioning';
const snapshots = 'clerk.user-snapshots';
const deadLetters = 'clerk.dead-letters';
const group = 'clerk-strapi-sync';
const password = 'secret-of-all';
let brokers;
let database;

const client = (username) => new Kafka({ brokers: [brokers], sasl: { mechanism: 'scram-sha-512', username, password }, logLevel: logLevel.NOTHING, retry: { retries: 3, initialRetryTime: 50 } });
const login = (username) => ({ KAFKA_BROKERS: brokers, KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT', KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password });
const send = (ingest, ...words) => command('clerk-ingest', ['send', '--to', ingest.url, ...words], { CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret });

async function using(user, kind, act) {
  const one = client(user)[kind](kind === 'consumer' ? { groupId: group } : {});
  await one.connect();
  try {
    return await act(one);
  } finally {
    await one.disconnect();
  }
}

const acls = () =>
  users.flatMap(({ metadata, spec }) =>
    spec.authorization.acls.flatMap(({ resource, operations }) =>
      operations.map((operation) => ({
        resourceType: AclResourceTypes[resource.type.toUpperCase()],
        resourceName: resource.name,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: `User:${metadata.name}`,
        host: '*',
        operation: AclOperationTypes[operation.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    ),
  );

before(async () => {
  mkdirSync(folder, { recursive: true });
  const settings = `authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:ANONYMOUS
`;
  writeFileSync(path.join(folder, 'extra.properties'), settings);
  const known = ['admin', ...users.map(({ metadata }) => metadata.name)].map((name) => `${name}:${password}`).join();
  await kafkaServer('start', folder, '--version', (await scramIsBroken()) ? '3.9.1' : '4.3.1', '--sasl', known);
  brokers = await kafkaServer('bootstrap', folder, '--sasl');
  await using('admin', 'admin', async (admin) => {
    const made = topics.map(({ metadata, spec }) => ({ topic: metadata.name, numPartitions: spec.partitions, replicationFactor: 1 }));
    await admin.createTopics({ topics: made, waitForLeaders: true });
    const wanted = acls();
    await admin.createAcls({ acl: wanted });
    const any = { resourceType: AclResourceTypes.ANY, resourcePatternType: ResourcePatternTypes.ANY, operation: AclOperationTypes.ANY, permissionType: AclPermissionTypes.ANY };
    const known = async () => (await admin.describeAcls(any)).resources.flatMap((each) => each.acls).length;
    await waitFor(async () => (await known()) === wanted.length, { what: 'the broker has the rights', deadlineMs: 60_000 });
  });
  database = await newTablesDatabase();
  await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url });
});

after(() => kafkaServer('remove', folder));

test('kafka rights: a webhook becomes a user, an unusable one a dead letter [I1, I8]', async () => {
  const ingest = await startIngest(login(ingestUser));
  const worker = await startWorker({ ...login(workerUser), DATABASE_URL: database.url });
  const sent = await send(ingest, '--type', 'user.created', '--email', 'ada@example.com');
  assert.equal(sent.code, 0, `${sent.stdout}${sent.stderr}\n${ingest.tail()}`);
  await waitFor(async () => (await database.rows("select 1 from up_users where email = 'ada@example.com'")).length === 1, { what: 'the user in Strapi' });
  // No key, no value: the worker dead-letters it, whichever topic it is in.
  const unusable = (user, topic) => using(user, 'producer', (producer) => producer.send({ topic, messages: [{ key: null, value: null }] }));
  await unusable(ingestUser, provisioning);
  await unusable(tasksUser, snapshots);
  await waitFor(async () => (await worker.metrics()).value('clerk_worker_dead_letters_total') >= 2, { what: 'the worker\'s dead letters' });
  const { failing } = await readiness(worker);
  assert.deepEqual(failing, []);
  const lag = await using(kedaUser, 'admin', (admin) => admin.fetchOffsets({ groupId: group, topics: [events] }));
  assert.equal(lag[0].partitions.length, 12);
  await Promise.all([ingest.stop(), worker.stop()]);
});

test("kafka rights: both checks and the operator's commands have what they need", async () => {
  const ingest = await command('clerk-ingest', ['check'], { ...login(ingestUser), CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret });
  assert.equal(ingest.code, 0, ingest.stdout);
  const environment = { DATABASE_URL: database.url, STRAPI_PROFILE_CONTENT_TYPES: 'api::user-profile.user-profile' };
  const worker = await command('clerk-worker', ['check'], { ...login(workerUser), ...environment });
  assert.equal(worker.code, 0, worker.stdout);
  const present = await command('clerk-worker', ['topics', '--check'], login(tasksUser));
  assert.match(present.stdout, /^present +clerk\.user-events .*cleanup\.policy delete/m, 'may look at the settings');
  const replayed = await command('clerk-worker', ['replay', '--from', 'beginning', '--dry-run'], { ...login(tasksUser), ...environment });
  assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  const listed = await command('clerk-worker', ['dlq', 'list'], { ...login(workerUser), ...environment });
  assert.equal(listed.code, 3, listed.stdout + listed.stderr);
});

test('kafka rights: no login may do what is for another', async () => {
  const write = (user, topic) => using(user, 'producer', (producer) => producer.send({ topic, messages: [{ key: 'user_1', value: '{}' }] }));
  const read = (user) =>
    using(user, 'consumer', async (consumer) => {
      await consumer.subscribe({ topic: events });
      const crashed = new Promise((resolve, reject) => consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error)));
      await consumer.run({ eachMessage: async () => {} });
      await crashed;
    });
  const denied = /not authorized/i;
  await assert.rejects(write(workerUser, events), denied, 'the worker invents no events');
  await assert.rejects(write(kedaUser, deadLetters), denied, 'KEDA only reads');
  await assert.rejects(write(tasksUser, deadLetters), denied, 'only the programs write dead letters');
  await assert.rejects(using(ingestUser, 'admin', (admin) => admin.deleteTopics({ topics: [events] })), denied);
  await assert.rejects(read(ingestUser), /not authorized|group coordinator/i, 'ingest is of no group');
});
