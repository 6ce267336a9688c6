// deploy/kubernetes as the real kubectl renders it, and the relations between its objects. No cluster is used.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const repository = process.env.TEST_REPOSITORY ?? path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const folder = path.join(repository, 'deploy/kubernetes');
export const buildFolder = process.env.TEST_BUILD_DIR ?? path.join(repository, 'build/release');

const tool = (name) => execFileSync(path.join(repository, 'tests/tools/kubernetes-tools'), [name], { encoding: 'utf8' }).trim();
export const tools = { kubectl: tool('kubectl'), schemas: tool('schemas'), crds: tool('crds') };

export function parse(text) {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
}

const texts = new Map();

// Each call returns objects of its own, so that a test may break them.
export function render(name) {
  if (!texts.has(name)) {
    texts.set(name, execFileSync(tools.kubectl, ['kustomize', path.join(folder, name)], { encoding: 'utf8', maxBuffer: 1 << 24 }));
  }
  return parse(texts.get(name));
}

export const overlays = ['overlays/dev', 'overlays/production'];
export const everything = [...overlays, 'strimzi'];

export const nameOf = (object) => `${object.kind} ${object.metadata.name}`;
export const ofKind = (objects, ...kinds) => objects.filter((object) => kinds.includes(object.kind));
export const one = (objects, kind, name) => objects.find((object) => object.kind === kind && object.metadata.name === name);

// What becomes a pod: { owner, template, pod, container }. One container each, by our own choice.
export function workloads(objects) {
  return ofKind(objects, 'Deployment', 'CronJob').map((owner) => {
    const template = owner.kind === 'CronJob' ? owner.spec.jobTemplate.spec.template : owner.spec.template;
    return { owner, name: nameOf(owner), template, pod: template.spec, container: template.spec.containers[0] };
  });
}

// The environment as the kubelet would make it: ConfigMaps in order, then the single variables.
export function environmentOf(objects, { container }) {
  const values = {};
  for (const source of container.envFrom ?? []) Object.assign(values, one(objects, 'ConfigMap', source.configMapRef?.name)?.data ?? {});
  for (const variable of container.env ?? []) values[variable.name] = variable.value;
  return values;
}

// Of a pod's volumes made of Secrets: { path, files } where it is mounted; files is null when all keys are.
export function mountedSecrets({ pod, container }) {
  const volumes = new Map((pod.volumes ?? []).map((volume) => [volume.name, volume]));
  return (container.volumeMounts ?? []).map((mount) => {
    const volume = volumes.get(mount.name) ?? {};
    const sources = volume.projected?.sources?.map((source) => source.secret) ?? [volume.secret];
    const files = sources.every((source) => source?.items)
      ? sources.flatMap((source) => source.items.map((item) => ({ secret: source.name ?? source.secretName, key: item.key, file: item.path })))
      : null;
    return { path: mount.mountPath, mount, mode: (volume.projected ?? volume.secret)?.defaultMode, sources, files };
  });
}

const matches = (labels, selector) =>
  Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
  (selector.matchExpressions ?? []).every(({ key, operator, values }) => operator === 'In' && values.includes(labels[key]));

export const selected = (objects, selector) =>
  workloads(objects).filter(({ template }) => matches(template.metadata.labels ?? {}, selector));

export const readText = (file) => readFileSync(path.join(repository, file), 'utf8');
