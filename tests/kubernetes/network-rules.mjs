// Rules about network access and scaling. Same form as pod-rules.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { environmentOf, ofKind, one, selected, tools, workloads } from './rendered.mjs';

const webhookPaths = ['/api/clerk-auth/webhook', '/webhooks/clerk'];
const partitions = 12;
const same = (found, wanted) => JSON.stringify(found) === JSON.stringify(wanted);
const component = ({ template }) => template.metadata.labels['app.kubernetes.io/component'];
const policies = (objects) => ofKind(objects, 'NetworkPolicy');
const policy = (objects, name) => one(objects, 'NetworkPolicy', name);
const scaled = (objects) => one(objects, 'ScaledObject', 'clerk-worker');
const hpa = (objects) => one(objects, 'HorizontalPodAutoscaler', 'clerk-ingest');
const ingress = (objects) => one(objects, 'Ingress', 'clerk-webhooks');

// By component: the ports that are open in or out, sorted.
function opened(objects, direction) {
  const open = {};
  for (const { spec } of policies(objects)) {
    const ports = (spec[direction] ?? []).flatMap((rule) => rule.ports?.map(({ port }) => port) ?? ['any']);
    for (const workload of selected(objects, spec.podSelector)) {
      open[component(workload)] = [...new Set([...(open[component(workload)] ?? []), ...ports])].sort((a, b) => a - b);
    }
  }
  return open;
}

function policyFaults(objects) {
  const faults = [];
  const must = (holds, what) => holds || faults.push(what);
  must(
    policies(objects).some(({ spec }) => same(spec.podSelector, {}) && same([...spec.policyTypes].sort(), ['Egress', 'Ingress']) && !spec.ingress && !spec.egress),
    'all that is not allowed is denied',
  );
  must(same(opened(objects, 'ingress'), { ingest: [8080, 9464, 9465], worker: [9464, 9465], task: [] }), `open: ${JSON.stringify(opened(objects, 'ingress'))}`);
  const out = { ingest: [53, 443, 5432, 9092, 9093], worker: [53, 5432, 9092, 9093], task: [53, 443, 5432, 9092, 9093] };
  must(same(opened(objects, 'egress'), out), `let out: ${JSON.stringify(opened(objects, 'egress'))}`);
  for (const { metadata, spec } of policies(objects)) {
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      const peers = rule.from ?? rule.to ?? [];
      must(peers.length > 0 && rule.ports?.length > 0, `${metadata.name}: names peers and ports`);
      must(peers.every(({ ipBlock, namespaceSelector }) => ipBlock || Object.keys(namespaceSelector?.matchLabels ?? {}).length > 0), `${metadata.name}: names a namespace`);
      for (const { ipBlock } of peers.filter((peer) => peer.ipBlock)) {
        must(ipBlock.except?.length >= 2 || !/\/0$/.test(ipBlock.cidr), `${metadata.name}: "anywhere" means outside the cluster`);
      }
    }
  }
  return faults;
}

function serviceFaults(objects) {
  const faults = [];
  for (const { metadata, spec } of ofKind(objects, 'Service')) {
    const pods = selected(objects, { matchLabels: spec.selector });
    if (pods.length !== 1) faults.push(`${metadata.name} selects ${pods.length} workloads`);
    if ((spec.type ?? 'ClusterIP') !== 'ClusterIP' || spec.externalIPs) faults.push(`${metadata.name} is open to the outside`);
    for (const { port, targetPort } of spec.ports) {
      const target = pods[0]?.container.ports?.find(({ name }) => name === targetPort);
      if (target?.containerPort !== port) faults.push(`${metadata.name}: port ${port} is not ${targetPort}`);
    }
    const names = spec.ports.map(({ name }) => name);
    if (names.includes('admin') && names.length > 1) faults.push(`${metadata.name}: the admin port beside a public one`);
  }
  return faults;
}

function ingressFaults(objects) {
  const faults = ofKind(objects, 'Gateway', 'HTTPRoute').map(({ metadata }) => `${metadata.name} is not covered by this rule`);
  for (const { metadata, spec } of ofKind(objects, 'Ingress')) {
    const paths = (spec.rules ?? []).flatMap(({ http }) => http.paths);
    if (spec.defaultBackend) faults.push(`${metadata.name} has a default backend`);
    if (!same(paths.map((each) => each.path).sort(), webhookPaths)) faults.push(`${metadata.name}: ${paths.map((each) => each.path)}`);
    if (!paths.every(({ pathType }) => pathType === 'Exact')) faults.push(`${metadata.name}: a path must match exactly`);
    if (!paths.every(({ backend }) => same(backend.service, { name: 'clerk-ingest', port: { name: 'http' } }))) faults.push(`${metadata.name}: to ingest's public port`);
    const hosts = spec.rules.map(({ host }) => host);
    if (!hosts.every((host) => spec.tls?.some((each) => each.hosts.includes(host)))) faults.push(`${metadata.name}: no TLS`);
  }
  return faults;
}

function scalingFaults(objects) {
  const faults = [];
  for (const { metadata, spec } of ofKind(objects, 'HorizontalPodAutoscaler', 'ScaledObject')) {
    const target = one(objects, 'Deployment', spec.scaleTargetRef.name);
    if (target === undefined) faults.push(`${metadata.name} scales nothing`);
    else if (target.spec.replicas !== undefined) faults.push(`${metadata.name}: the Deployment has a number of its own`);
  }
  for (const { spec } of ofKind(objects, 'HorizontalPodAutoscaler')) {
    if (spec.minReplicas < 2 || !spec.behavior?.scaleDown) faults.push('ingest: at least two replicas, and a slow scale-down');
  }
  return faults;
}

function lagFaults(objects) {
  const faults = [];
  const required = ['bootstrapServers', 'consumerGroup', 'topic', 'lagThreshold', 'offsetResetPolicy'];
  const parameters = new Set(readFileSync(path.join(tools.crds, 'keda-kafka-parameters'), 'utf8').split('\n'));
  for (const { spec } of ofKind(objects, 'ScaledObject')) {
    const must = (holds, what) => holds || faults.push(what);
    must(spec.minReplicaCount === 1 && spec.maxReplicaCount === partitions && spec.idleReplicaCount === undefined, 'one at least, as many as partitions at most');
    const values = environmentOf(objects, workloads(objects).find(({ name }) => name === 'Deployment clerk-worker'));
    const group = values.KAFKA_GROUP_ID;
    const wanted = [
      [values.TOPIC_USER_EVENTS, group],
      [values.TOPIC_PROVISIONING, `${group}.user-provisioning`],
      [values.TOPIC_SNAPSHOTS, `${group}.snapshots`],
    ];
    must(same(spec.triggers.map(({ metadata }) => [metadata.topic, metadata.consumerGroup]), wanted), 'each topic with the group that reads it');
    for (const { type, metadata, authenticationRef } of spec.triggers) {
      must(type === 'kafka' && Object.keys(metadata).every((key) => parameters.has(key)), `an unknown parameter of KEDA's: ${Object.keys(metadata)}`);
      must(required.every((key) => metadata[key]), `a trigger needs ${required}`);
      must(metadata.bootstrapServers === values.KAFKA_BROKERS, `KEDA asks ${metadata.bootstrapServers}, the workers ${values.KAFKA_BROKERS}`);
      const login = one(objects, 'TriggerAuthentication', authenticationRef?.name);
      const given = [...(login?.spec.secretTargetRef ?? []), ...(login?.spec.configMapTargetRef ?? [])].map(({ parameter }) => parameter);
      must(same(given.sort(), ['ca', 'password', 'username']) && metadata.sasl && metadata.tls === 'enable', `KEDA signs in, and over TLS: ${given}`);
      const source = one(objects, 'ConfigMap', login?.spec.configMapTargetRef?.[0].name)?.data[login.spec.configMapTargetRef[0].key];
      must(source === 'clerk-keda-kafka', `KEDA signs in as ${source}`);
    }
  }
  return faults;
}

export const networkRules = [
  {
    promise: 'network: closed except for what each part needs',
    faults: policyFaults,
    slips: [
      (all) => { all.splice(all.indexOf(policy(all, 'default-deny')), 1); },
      (all) => { policy(all, 'ingest-from-gateway-and-strapi').spec.ingress[0].from = []; },
      (all) => { policy(all, 'ingest-from-gateway-and-strapi').spec.podSelector = {}; },
      (all) => { policy(all, 'clerk').spec.podSelector = {}; },
      (all) => { delete policy(all, 'clerk').spec.egress[0].to[0].ipBlock.except; },
      (all) => { delete policy(all, 'kafka').spec.egress[0].ports; },
      (all) => { policy(all, 'admin-from-monitoring').spec.ingress[0].from[0] = { namespaceSelector: {} }; },
    ],
  },
  {
    promise: 'services: existing ports, inside the cluster only, admin ports separate',
    faults: serviceFaults,
    slips: [
      (all) => { one(all, 'Service', 'clerk-ingest').spec.type = 'LoadBalancer'; },
      (all) => { one(all, 'Service', 'clerk-ingest').spec.selector['app.kubernetes.io/name'] = 'ingest'; },
      (all) => { one(all, 'Service', 'clerk-worker-admin').spec.ports[0].port = 9464; },
      (all) => { one(all, 'Service', 'clerk-ingest').spec.ports.push({ name: 'admin', port: 9464, targetPort: 'admin' }); },
    ],
  },
  {
    promise: 'ingress: only the two exact webhook paths are open from outside, over TLS',
    faults: ingressFaults,
    slips: [
      (all) => { ingress(all).spec.rules[0].http.paths[0].pathType = 'Prefix'; },
      (all) => { ingress(all).spec.rules[0].http.paths[0].path = '/'; },
      (all) => { ingress(all).spec.rules[0].http.paths.push({ ...ingress(all).spec.rules[0].http.paths[0], path: '/v1/auth/verify' }); },
      (all) => { ingress(all).spec.defaultBackend = { service: { name: 'clerk-ingest', port: { name: 'http' } } }; },
      (all) => { ingress(all).spec.rules[0].http.paths[0].backend.service.name = 'clerk-ingest-admin'; },
      (all) => { delete ingress(all).spec.tls; },
    ],
  },
  {
    promise: 'scaling: a scaled workload has no replica count of its own',
    faults: scalingFaults,
    slips: [
      (all) => { one(all, 'Deployment', 'clerk-worker').spec.replicas = 2; },
      (all) => { hpa(all).spec.scaleTargetRef.name = 'ingest'; },
      (all) => { hpa(all).spec.minReplicas = 1; },
    ],
  },
  {
    promise: 'scaling: workers follow the lag of each topic, from one to the number of partitions',
    faults: lagFaults,
    slips: [
      (all) => { scaled(all).spec.minReplicaCount = 0; },
      (all) => { scaled(all).spec.maxReplicaCount = 24; },
      (all) => { scaled(all).spec.triggers[1].metadata.consumerGroup = 'clerk-strapi-sync'; },
      (all) => { scaled(all).spec.triggers[0].metadata.lagTreshold = '5'; },
      (all) => { scaled(all).spec.triggers[0].metadata.bootstrapServers = 'overlay'; },
      (all) => { scaled(all).spec.triggers.pop(); },
      (all) => { scaled(all).spec.triggers[0].authenticationRef.name = 'unknown'; },
      (all) => { one(all, 'TriggerAuthentication', 'clerk-worker-kafka').spec.secretTargetRef[0].parameter = 'mechanism'; },
      (all) => { one(all, 'ConfigMap', 'clerk-keda').data.username = 'admin'; },
      (all) => { delete scaled(all).spec.triggers[2].metadata.tls; },
    ],
  },
];
