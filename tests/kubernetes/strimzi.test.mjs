// needs: nothing
// Strimzi's topics and users are those of our own commands and of what each program does with Kafka.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { buildFolder, environmentOf, ofKind, readText, render, workloads } from './rendered.mjs';

const strimzi = render('strimzi');
const production = render('overlays/production');
const users = new Map(ofKind(strimzi, 'KafkaUser').map((user) => [user.metadata.name, user.spec]));
const events = 'clerk.user-events';
const provisioning = 'clerk.user-provisioning';
const snapshots = 'clerk.user-snapshots';
const deadLetters = 'clerk.dead-letters';

// topic → operations, as one text each; a group has its name with "group " before it.
function rights(name) {
  return Object.fromEntries(
    users.get(name).authorization.acls.map(({ resource, operations, host, type }) => {
      assert.equal(resource.patternType, 'literal', `${name}: a pattern gives unchecked rights`);
      assert.equal(host ?? '*', '*');
      assert.equal(type ?? 'allow', 'allow');
      return [resource.type === 'topic' ? resource.name : `${resource.type} ${resource.name}`, [...operations].sort().join(' ')];
    }),
  );
}

test('strimzi: topics are created as schemas/README.md and `clerk-worker topics` say', () => {
  const kept = Object.fromEntries([...readText('schemas/README.md').matchAll(/^\| `(clerk\.[a-z-]+)` \| `TOPIC_\w+` \| (\d+) days/gm)].map(([, name, days]) => [name, Number(days)]));
  const help = execFileSync(path.join(buildFolder, 'bin/clerk-worker'), ['topics', '--help'], { encoding: 'utf8' });
  const partitions = Number(/--partitions\D*(\d+)/.exec(help)[1]);
  const found = {};
  for (const { metadata, spec } of ofKind(strimzi, 'KafkaTopic')) {
    found[metadata.name] = spec.config['retention.ms'] / 86_400_000;
    assert.equal(spec.partitions, partitions, metadata.name);
    assert.equal(spec.replicas, 3);
    assert.deepEqual(Object.keys(spec.config).sort(), ['cleanup.policy', 'min.insync.replicas', 'retention.ms']);
    assert.equal(spec.config['cleanup.policy'], 'delete', 'compaction could keep the older of two');
    assert.equal(spec.config['min.insync.replicas'], spec.replicas - 1, 'as topics.cpp sets it');
  }
  assert.deepEqual(found, kept);
});

test("strimzi: the topics are those of the programs' variables", () => {
  const configured = new Set();
  for (const workload of workloads(production)) {
    for (const [name, value] of Object.entries(environmentOf(production, workload))) if (name.startsWith('TOPIC_')) configured.add(value);
  }
  assert.deepEqual(ofKind(strimzi, 'KafkaTopic').map(({ metadata }) => metadata.name).sort(), [...configured].sort());
});

test('strimzi: each program has exactly the Kafka rights that it needs', () => {
  assert.deepEqual(rights('clerk-ingest-kafka'), { [events]: 'Describe Write', [provisioning]: 'Describe Write', [deadLetters]: 'Describe Write' });
  const read = 'Describe DescribeConfigs Read';
  assert.deepEqual(rights('clerk-worker-kafka'), {
    [events]: read,
    [provisioning]: read,
    [snapshots]: read,
    [deadLetters]: `${read} Write`,
    'group clerk-strapi-sync': 'Describe Read',
    'group clerk-strapi-sync.user-provisioning': 'Describe Read',
    'group clerk-strapi-sync.snapshots': 'Describe Read',
  });
  const publish = 'Describe DescribeConfigs Read Write';
  assert.deepEqual(rights('clerk-tasks-kafka'), { [events]: publish, [provisioning]: publish, [snapshots]: publish, [deadLetters]: 'Describe DescribeConfigs Read' });
  const look = 'Describe';
  assert.deepEqual(rights('clerk-keda-kafka'), {
    [events]: look,
    [provisioning]: look,
    [snapshots]: look,
    'group clerk-strapi-sync': look,
    'group clerk-strapi-sync.user-provisioning': look,
    'group clerk-strapi-sync.snapshots': look,
  });
});

test("strimzi: users have SCRAM passwords, and every pod's login is one of them", () => {
  for (const [name, { authentication }] of users) assert.equal(authentication.type, 'scram-sha-512', name);
  const logins = workloads(production).map((workload) => environmentOf(production, workload).KAFKA_SASL_USERNAME).filter(Boolean);
  assert.deepEqual([...new Set(logins)].sort(), ['clerk-ingest-kafka', 'clerk-tasks-kafka', 'clerk-worker-kafka']);
  for (const login of logins) assert.ok(users.has(login), login);
});
