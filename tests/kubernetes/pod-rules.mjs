// Rules about pods: their restrictions, probes, stop and secrets. A rule takes an
// overlay's objects and returns its faults; `slips` are what it must find: each breaks the objects in one place.
import { environmentOf, mountedSecrets, ofKind, one, selected, workloads } from './rendered.mjs';

const same = (found, wanted) => JSON.stringify(found) === JSON.stringify(wanted);
const deployments = (objects) => workloads(objects).filter(({ owner }) => owner.kind === 'Deployment');
const ingest = (objects) => workloads(objects).find(({ name }) => name === 'Deployment clerk-ingest');
const worker = (objects) => workloads(objects).find(({ name }) => name === 'Deployment clerk-worker');
const task = (objects, name) => workloads(objects).find((each) => each.name === `CronJob clerk-${name}`);

const stopSeconds = 9; // SIGTERM to exit, promised
const memoryPromised = { ingest: 64, worker: 128, task: 128 }; // MiB, resident, under load
const mebibytes = (text) => (/^\d+Mi$/.test(text ?? '') ? Number(text.slice(0, -2)) : NaN);

function containerFaults({ name, pod, container, template }) {
  const faults = [];
  const must = (holds, what) => holds || faults.push(`${name}: ${what}`);
  must(pod.containers.length === 1 && !pod.initContainers && !pod.ephemeralContainers, 'one container, and nothing beside it');
  must(!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, 'no namespace of the node');
  const { runAsNonRoot, runAsUser, seccompProfile } = pod.securityContext ?? {};
  must(runAsNonRoot === true && runAsUser === 65532, 'runs as user 65532, never as root');
  must(seccompProfile?.type === 'RuntimeDefault', 'the runtime\'s seccomp profile');
  const context = container.securityContext ?? {};
  must(context.allowPrivilegeEscalation === false, 'gains no privileges');
  must(context.readOnlyRootFilesystem === true, 'writes nowhere');
  must(same(context.capabilities, { drop: ['ALL'] }), 'drops all capabilities');
  must(context.privileged === undefined && context.runAsUser === undefined && context.runAsNonRoot === undefined, 'nothing overrides the pod');
  must((pod.volumes ?? []).every((volume) => volume.secret || volume.projected), 'no volume but secrets');
  must(pod.automountServiceAccountToken === false, 'no token of the API server');
  must(pod.enableServiceLinks === false, 'no variables of other Services');
  must(template.metadata.labels['app.kubernetes.io/component'] !== undefined, 'a component, by which network policies choose');
  return faults;
}

function probeFaults(objects) {
  const faults = [];
  for (const workload of deployments(objects)) {
    const { name, container } = workload;
    const must = (holds, what) => holds || faults.push(`${name}: ${what}`);
    const ports = Object.fromEntries((container.ports ?? []).map((port) => [port.name, port.containerPort]));
    for (const [probe, path] of [['startupProbe', '/livez'], ['livenessProbe', '/livez'], ['readinessProbe', '/readyz']]) {
      must(same(container[probe]?.httpGet, { path, port: 'admin' }), `${probe} asks ${path} on the admin port`);
    }
    must(container.startupProbe?.failureThreshold * (container.startupProbe?.periodSeconds ?? 10) >= 10, 'ten seconds to start');
    must(container.livenessProbe?.failureThreshold * container.livenessProbe?.periodSeconds >= 30, 'half a minute before it is killed');
    const environment = environmentOf(objects, workload);
    must(environment.ADMIN_LISTEN === `0.0.0.0:${ports.admin}`, `listens where it is asked: ${environment.ADMIN_LISTEN}, port ${ports.admin}`);
    if (ports.http !== undefined) must(environment.INGEST_LISTEN === `0.0.0.0:${ports.http}`, 'the public port is the one that it listens on');
  }
  const admin = (found) => found?.container.ports.find(({ name }) => name === 'admin').containerPort;
  if (admin(ingest(objects)) !== 9464 || admin(worker(objects)) !== 9465) faults.push('the admin ports are 9464 and 9465');
  return faults;
}

function secretFaults(objects) {
  const faults = ofKind(objects, 'Secret').map((secret) => `${secret.metadata.name}: a Secret's content does not belong in the repository`);
  const secretNames = /SECRET|PASSWORD|_KEY$|TOKEN|SASL_JAAS|^DATABASE_URL$/;
  for (const workload of workloads(objects)) {
    const must = (holds, what) => holds || faults.push(`${workload.name}: ${what}`);
    must((workload.container.env ?? []).every(({ valueFrom }) => valueFrom === undefined), 'no variable is taken from a Secret: the environment shows in many places');
    must((workload.container.envFrom ?? []).every(({ secretRef }) => secretRef === undefined), 'no Secret becomes the environment');
    const mounts = mountedSecrets(workload);
    for (const { path, mount, mode } of mounts) {
      must(mount.subPath === undefined && mount.subPathExpr === undefined, `${path} is a whole folder: a subPath never follows a changed secret`);
      must(mount.readOnly === true && mode === 0o440 && workload.pod.securityContext.fsGroup === 65532, `${path} is readable for the program's group alone`);
    }
    for (const [name, value] of Object.entries(environmentOf(objects, workload))) {
      if (/_(FILE|LOCATION)$/.test(name)) {
        const mounted = mounts.find(({ path }) => value?.startsWith(`${path}/`));
        const file = value?.slice((mounted?.path.length ?? 0) + 1);
        if (mounted === undefined) must(false, `${name}: ${value} is not below a mounted secret`);
        else must(mounted.files === null ? name === `${file}_FILE` : mounted.files.some((each) => each.file === file), `${name}: no ${file} in ${mounted.path}`);
      } else must(!secretNames.test(name), `${name} holds a secret in the environment`);
    }
  }
  return faults;
}

function taskFaults(objects) {
  const faults = [];
  for (const { owner, name, container, pod } of workloads(objects).filter(({ owner }) => owner.kind === 'CronJob')) {
    const must = (holds, what) => holds || faults.push(`${name}: ${what}`);
    const words = container.args ?? [];
    must(same(container.command, ['clerk-worker']) && name === `CronJob clerk-${words[0]}`, 'is named after its command');
    must(!words.some((word) => ['--repair', '--delete', '--merge-duplicates', '--revive'].includes(word)), 'changes nothing that a person must decide');
    must(owner.spec.concurrencyPolicy === 'Forbid', 'never twice at once');
    must(words[0] === 'reconcile' || owner.spec.suspend === true, 'only a person starts it');
    must(owner.spec.jobTemplate.spec.activeDeadlineSeconds > 0, 'ends some time');
    const final = owner.spec.jobTemplate.spec.podFailurePolicy?.rules?.[0]?.onExitCodes?.values ?? [];
    must(pod.restartPolicy === 'Never' && final.includes(2), 'a wrong configuration is not tried again');
    must(words[0] === 'topics' || words[0] === 'backfill' || final.includes(3), 'what needs an operator is reported at once');
  }
  if (one(objects, 'CronJob', 'clerk-reconcile')?.spec.startingDeadlineSeconds === undefined) faults.push('reconcile: a missed night is let go');
  return faults;
}

export const podRules = [
  {
    promise: 'pods: restricted as the pod security standard requires, and more [I6]',
    faults: (objects) => workloads(objects).flatMap(containerFaults),
    slips: [
      (all) => { delete task(all, 'topics').container.securityContext; },
      (all) => { ingest(all).container.securityContext.readOnlyRootFilesystem = false; },
      (all) => { worker(all).container.securityContext.capabilities.add = ['NET_RAW']; },
      (all) => { worker(all).pod.automountServiceAccountToken = true; },
      (all) => { ingest(all).pod.enableServiceLinks = true; },
      (all) => { ingest(all).pod.securityContext.runAsUser = 0; },
      (all) => { ingest(all).pod.initContainers = [{ name: 'shell', image: 'busybox' }]; },
      (all) => { ingest(all).pod.volumes.push({ name: 'node', hostPath: { path: '/' } }); },
    ],
  },
  {
    promise: 'service accounts: no rights; the namespace admits restricted pods only',
    faults: (objects) => [
      ...workloads(objects)
        .filter(({ pod }) => one(objects, 'ServiceAccount', pod.serviceAccountName)?.automountServiceAccountToken !== false)
        .map(({ name }) => `${name}: a service account of its own, without token`),
      ...(ofKind(objects, 'Namespace').every(({ metadata }) => metadata.labels['pod-security.kubernetes.io/enforce'] === 'restricted') &&
      ofKind(objects, 'Namespace').length === 1
        ? []
        : ['the namespace enforces the restricted standard']),
      ...objects
        .filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== ofKind(objects, 'Namespace')[0].metadata.name)
        .map(({ kind, metadata }) => `${kind} ${metadata.name} is outside the namespace`),
      ...ofKind(objects, 'Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding').map(({ metadata }) => `${metadata.name}: no workload here needs a role`),
    ],
    slips: [
      (all) => { one(all, 'ServiceAccount', 'clerk-ingest').automountServiceAccountToken = true; },
      (all) => { worker(all).pod.serviceAccountName = 'default'; },
      (all) => { ofKind(all, 'Namespace')[0].metadata.labels['pod-security.kubernetes.io/enforce'] = 'baseline'; },
      (all) => { ofKind(all, 'Service')[0].metadata.namespace = 'default'; },
    ],
  },
  {
    promise: 'probes: use the paths and ports that the programs serve',
    faults: probeFaults,
    slips: [
      (all) => { delete ingest(all).container.readinessProbe; },
      (all) => { worker(all).container.livenessProbe.httpGet.path = '/readyz'; },
      (all) => { ingest(all).container.startupProbe.failureThreshold = 1; },
      (all) => { worker(all).container.ports[0].containerPort = 9464; },
      (all) => { ofKind(all, 'ConfigMap').find(({ data }) => data.INGEST_LISTEN).data.INGEST_LISTEN = '0.0.0.0:80'; },
    ],
  },
  {
    promise: 'resources: requests as measured, limits above the guaranteed bounds',
    faults: (objects) =>
      workloads(objects).flatMap(({ name, container, template }) => {
        const { requests, limits } = container.resources ?? {};
        const promised = memoryPromised[template.metadata.labels['app.kubernetes.io/component']];
        const good = requests?.cpu && limits?.cpu && mebibytes(requests?.memory) >= promised && mebibytes(limits?.memory) >= 2 * promised;
        return good ? [] : [`${name}: processor and memory, requested ${promised} MiB and limited to twice that or more`];
      }),
    slips: [
      (all) => { delete worker(all).container.resources.limits; },
      (all) => { ingest(all).container.resources.limits.memory = '64Mi'; },
      (all) => { delete task(all, 'backfill').container.resources.requests.cpu; },
    ],
  },
  {
    promise: 'stop: a program has the time that its stop may take [I1, I7]',
    faults: (objects) =>
      workloads(objects).flatMap(({ name, pod, container }) => {
        const hook = container.lifecycle?.preStop;
        const slept = hook === undefined ? 0 : (hook.sleep?.seconds ?? NaN); // the image has nothing to exec
        return pod.terminationGracePeriodSeconds >= stopSeconds + slept ? [] : [`${name}: ${stopSeconds} s after ${slept} s of preStop`];
      }),
    slips: [
      (all) => { ingest(all).pod.terminationGracePeriodSeconds = 8; },
      (all) => { ingest(all).container.lifecycle = { preStop: { sleep: { seconds: 10 } } }; },
      (all) => { ingest(all).container.lifecycle = { preStop: { exec: { command: ['sleep', '5'] } } }; },
    ],
  },
  {
    promise: 'secrets: files below a mounted folder, never in environment or repository [I6]',
    faults: secretFaults,
    slips: [
      (all) => { ingest(all).container.env.push({ name: 'CLERK_JWT_KEY', value: '-----BEGIN' }); },
      (all) => { ingest(all).container.env[1].valueFrom = { secretKeyRef: { name: 'x', key: 'y' } }; },
      (all) => { worker(all).container.envFrom.push({ secretRef: { name: 'clerk-worker' } }); },
      (all) => { worker(all).container.volumeMounts[0].subPath = 'DATABASE_PASSWORD'; },
      (all) => { worker(all).pod.volumes.find(({ secret }) => secret.secretName === 'clerk-worker').secret.defaultMode = 0o444; },
      (all) => { task(all, 'reconcile').pod.volumes.find(({ projected }) => projected).projected.sources.pop(); },
      (all) => { ingest(all).container.env.find(({ name }) => name === 'DATABASE_PASSWORD_FILE').value = '/run/secrets/password'; },
      (all) => { all.push({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'oops', namespace: all[0].metadata.name } }); },
      (all) => { ofKind(all, 'ConfigMap')[0].data.DATABASE_URL = 'postgres://a:b@c/d'; },
    ],
  },
  {
    promise: 'tasks: an operator starts them, one at a time; scheduled tasks only read',
    faults: taskFaults,
    slips: [
      (all) => { task(all, 'reconcile').container.args.push('--repair'); },
      (all) => { task(all, 'migrate').container.args.push('--merge-duplicates'); },
      (all) => { task(all, 'migrate').owner.spec.suspend = false; },
      (all) => { task(all, 'reconcile').owner.spec.concurrencyPolicy = 'Allow'; },
      (all) => { task(all, 'backfill').pod.restartPolicy = 'OnFailure'; },
      (all) => { task(all, 'reconcile').container.args[0] = 'replay'; },
    ],
  },
  {
    promise: 'rollout: never takes the last ready pod; a drained node takes one at a time',
    faults: (objects) =>
      deployments(objects).flatMap(({ owner, name, template, pod }) => {
        const labels = template.metadata.labels;
        const budget = ofKind(objects, 'PodDisruptionBudget').find(({ spec }) => selected(objects, spec.selector).some((each) => each.owner === owner));
        const faults = [];
        if (owner.spec.strategy?.rollingUpdate?.maxUnavailable !== 0) faults.push(`${name}: the old one stays until the new one is ready`);
        if (budget?.spec.maxUnavailable !== 1 || budget.spec.minAvailable !== undefined) faults.push(`${name}: a budget of one`);
        const spread = pod.topologySpreadConstraints ?? [];
        if (!same(spread.map(({ topologyKey }) => topologyKey).sort(), ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'])) faults.push(`${name}: spread over zones and nodes`);
        if (spread.some(({ labelSelector }) => Object.entries(labelSelector.matchLabels).some(([key, value]) => labels[key] !== value))) faults.push(`${name}: is spread from its own kind`);
        return faults;
      }),
    slips: [
      (all) => { worker(all).owner.spec.strategy.rollingUpdate.maxUnavailable = 1; },
      (all) => { one(all, 'PodDisruptionBudget', 'clerk-ingest').spec.maxUnavailable = 0; },
      (all) => { one(all, 'PodDisruptionBudget', 'clerk-worker').spec.selector.matchLabels['app.kubernetes.io/name'] = 'worker'; },
      (all) => { ingest(all).pod.topologySpreadConstraints.pop(); },
      (all) => { ingest(all).pod.topologySpreadConstraints[0].labelSelector.matchLabels['app.kubernetes.io/name'] = 'clerk-worker'; },
    ],
  },
  {
    promise: 'upgrade: the tasks can be applied alone, with all that they need',
    faults: (objects) => {
      const brought = objects.filter(({ metadata }) => ['config', 'task'].includes(metadata.labels?.['app.kubernetes.io/component']));
      const wanted = ofKind(objects, 'CronJob', 'ConfigMap').concat(ofKind(objects, 'ServiceAccount').filter(({ metadata }) => metadata.name === 'clerk-tasks'));
      const names = (all) => all.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
      return same(names(brought), names(wanted)) ? [] : [`component in (config,task) brings ${names(brought)}`];
    },
    slips: [
      (all) => { delete ofKind(all, 'ConfigMap')[0].metadata.labels; },
      (all) => { ingest(all).owner.metadata.labels['app.kubernetes.io/component'] = 'task'; },
      (all) => { task(all, 'migrate').owner.metadata.labels['app.kubernetes.io/component'] = 'migrate'; },
    ],
  },
  {
    promise: 'image: one for all, by a version',
    faults: (objects) => {
      const images = new Set(workloads(objects).map(({ container }) => container.image));
      const [image] = images;
      return images.size === 1 && /(^|\/)clerk-strapi-sync(:[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image) && !image.endsWith(':latest') ? [] : [[...images].join(', ')];
    },
    slips: [
      (all) => { task(all, 'migrate').container.image = 'clerk-strapi-sync:0.0.9'; },
      (all) => { for (const { container } of workloads(all)) container.image = 'clerk-strapi-sync:latest'; },
      (all) => { for (const { container } of workloads(all)) container.image = 'clerk-strapi-sync'; },
    ],
  },
];
