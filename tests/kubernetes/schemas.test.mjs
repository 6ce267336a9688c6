// needs: nothing
// Every object of deploy/kubernetes is valid by the schemas of Kubernetes, KEDA and Strimzi.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything, nameOf, ofKind, one, render } from './rendered.mjs';
import { validator, versions } from './schemas.mjs';

const validators = new Map(versions.map((version) => [version, validator(version)]));
const newest = validators.get(versions.at(-1));

for (const version of versions) {
  test(`schemas: every object is valid for Kubernetes ${version}, KEDA and Strimzi`, () => {
    for (const name of everything) {
      const objects = render(name);
      assert.ok(objects.length >= 8, `${name} renders ${objects.length} objects`);
      for (const object of objects) assert.deepEqual(validators.get(version)(object), [], `${name}: ${nameOf(object)}`);
    }
  });
}

test('schemas: a cluster without KEDA and Strimzi accepts the dev overlay', () => {
  const foreign = render('overlays/dev').filter(({ apiVersion }) => /keda|strimzi|monitoring\.coreos/.test(apiVersion));
  assert.deepEqual(foreign.map(nameOf), []);
});

const production = () => render('overlays/production');
const ingest = (objects) => one(objects, 'Deployment', 'clerk-ingest');
const container = (objects) => ingest(objects).spec.template.spec.containers[0];
const scaled = (objects) => one(objects, 'ScaledObject', 'clerk-worker');

// Typical mistakes.
const slips = [
  ['a misspelt field of a container', (all) => { container(all).livenesProbe = {}; return ingest(all); }],
  ['a field at the wrong height', (all) => { container(all).runAsNonRoot = true; return ingest(all); }],
  ['a text for a number', (all) => { container(all).ports[0].containerPort = '8080'; return ingest(all); }],
  ['a container without a name', (all) => { delete container(all).name; return ingest(all); }],
  ['a Deployment without a selector', (all) => { delete ingest(all).spec.selector; return ingest(all); }],
  ['an Ingress path without its type', (all) => {
    const ingress = one(all, 'Ingress', 'clerk-webhooks');
    delete ingress.spec.rules[0].http.paths[0].pathType;
    return ingress;
  }],
  ['an unknown field of a ScaledObject', (all) => { scaled(all).spec.maxReplicas = 12; return scaled(all); }],
  ['a ScaledObject without triggers', (all) => { delete scaled(all).spec.triggers; return scaled(all); }],
  ['an unknown field of metadata', (all) => { scaled(all).metadata.label = {}; return scaled(all); }],
  ['an unknown field of a KafkaTopic', () => { const topic = ofKind(render('strimzi'), 'KafkaTopic')[0]; topic.spec.partition = 12; return topic; }],
  ['an ACL without its resource', () => { const user = ofKind(render('strimzi'), 'KafkaUser')[0]; delete user.spec.authorization.acls[0].resource; return user; }],
  ['an operation that Kafka does not have', () => { const user = ofKind(render('strimzi'), 'KafkaUser')[0]; user.spec.authorization.acls[0].operations = ['Reed']; return user; }],
];

for (const [slip, make] of slips) {
  test(`schemas: ${slip} is found`, () => {
    assert.notDeepEqual(newest(make(production())), []);
  });
}
