// needs: nothing
// The real programs accept the environment that the manifests give them, secrets as files included.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { buildFolder, environmentOf, mountedSecrets, overlays, readText, render, workloads } from './rendered.mjs';

const program = (name) => path.join(buildFolder, 'bin', name);
const missing = ['clerk-ingest', 'clerk-worker'].every((name) => existsSync(program(name))) ? false : 'the programs are not built';
const scratch = mkdtempSync(path.join(process.env.TEST_RUN_DIR ?? os.tmpdir(), 'mounts-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

// The contents of the secrets, by file; each in a valid form, none of them real.
const contents = {
  CLERK_WEBHOOK_SIGNING_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}\n`,
  CLERK_SECRET_KEY: 'sk_test_0123456789abcdef0123456789abcdef',
  DATABASE_USERNAME: 'strapi\n',
  DATABASE_PASSWORD: 'p@ss word\n',
  password: 'kafka',
  'ca.crt': readText('tests/kubernetes/ca.crt'),
};
const known = (name) => new Set(execFileSync(program(name), ['--help'], { encoding: 'utf8' }).match(/\[[A-Z][A-Z_]+( = [^\]]*)?\]/g).map((each) => /[A-Z_]+/.exec(each)[0]));

// The pod's files below a folder of our own, and the environment that names them.
function mounted(objects, workload) {
  const place = mkdtempSync(path.join(scratch, 'pod-'));
  const environment = environmentOf(objects, workload);
  for (const mount of mountedSecrets(workload)) {
    const here = path.join(place, mount.path);
    mkdirSync(here, { recursive: true });
    const files = mount.files?.map(({ file }) => file) ?? Object.keys(environment).filter((name) => environment[name].startsWith(`${mount.path}/`)).map((name) => path.basename(environment[name]));
    for (const file of files) writeFileSync(path.join(here, file), contents[file], { mode: 0o440 });
  }
  for (const [name, value] of Object.entries(environment)) if (value?.startsWith('/etc/clerk/')) environment[name] = path.join(place, value);
  return environment;
}

async function run(command, words, environment) {
  // No server listens there: the configuration is tested, and the failed connections show that it was accepted.
  const values = { ...environment, KAFKA_BROKERS: '127.0.0.1:1', DATABASE_HOST: '127.0.0.1', DATABASE_PORT: '1' };
  try {
    const { stdout, stderr } = await promisify(execFile)(program(command), words, { env: values, timeout: 60_000 });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    return { code: error.code, text: `${error.stdout}${error.stderr}` };
  }
}

test('manifests: every variable that is set is known to its program', { skip: missing }, () => {
  const names = { 'clerk-ingest': known('clerk-ingest'), 'clerk-worker': known('clerk-worker') };
  // Passed to librdkafka unchanged; the next test lets librdkafka check them.
  const handedOn = new Set(['KAFKA_SECURITY_PROTOCOL', 'KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD', 'KAFKA_SSL_CA_LOCATION']);
  for (const overlay of overlays) {
    const objects = render(overlay);
    for (const workload of workloads(objects)) {
      const [command] = workload.container.command;
      for (const name of Object.keys(environmentOf(objects, workload))) {
        const plain = name.replace(/_FILE$/, '');
        assert.ok(names[command].has(plain) || handedOn.has(plain), `${overlay}, ${workload.name}: ${command} does not know ${name}`);
      }
    }
  }
});

// Without its brokers each reports them; only `migrate` and `check` need a database first. One of the tasks with Clerk's key is enough.
const words = {
  'Deployment clerk-ingest': ['check', /^ok +configuration[\s\S]*cannot be reached/],
  'Deployment clerk-worker': ['check', /^ok +configuration[\s\S]*FAULT +brokers/],
  'CronJob clerk-migrate': ['migrate', /port 1 failed|Connection refused/],
  'CronJob clerk-topics': ['topics --check', /the brokers of KAFKA_BROKERS/],
  'CronJob clerk-backfill': ['check', /^ok +configuration[\s\S]*FAULT +brokers/],
  'CronJob clerk-reconcile': ['check', /^ok +configuration[\s\S]*FAULT +brokers/],
};

test('manifests: the programs accept the environment of every pod, librdkafka its part', { skip: missing }, async () => {
  const runs = overlays.flatMap((overlay) => {
    const objects = render(overlay);
    return workloads(objects).map(async (workload) => {
      const [command, expected] = words[workload.name];
      const { code, text } = await run(workload.container.command[0], command.split(' '), mounted(objects, workload));
      assert.equal(code, 1, `${overlay}, ${workload.name}: ${text}`);
      assert.match(text, expected, `${overlay}, ${workload.name}`);
    });
  });
  await Promise.all(runs);
});

test('manifests: a wrong variable stops a program and is named', { skip: missing }, async () => {
  const objects = render('overlays/production');
  const ingest = workloads(objects).find(({ name }) => name === 'Deployment clerk-ingest');
  const environment = mounted(objects, ingest);
  const gone = await run('clerk-ingest', ['check'], { ...environment, CLERK_WEBHOOK_SIGNING_SECRET_FILE: `${environment.DATABASE_PASSWORD_FILE}.gone` });
  assert.equal(gone.code, 2, gone.text);
  assert.match(gone.text, /CLERK_WEBHOOK_SIGNING_SECRET_FILE cannot read/);
  const unknown = await run('clerk-ingest', ['check'], { ...environment, KAFKA_SASL_PASWORD: 'x' });
  assert.match(unknown.text, /KAFKA_SASL_PASWORD is not a property/);
  assert.doesNotMatch(unknown.text, /cannot be reached/);
});

test('manifests: the README names every Secret with its keys', () => {
  const text = readText('deploy/kubernetes/README.md');
  const objects = render('overlays/production');
  for (const workload of workloads(objects)) {
    const environment = environmentOf(objects, workload);
    for (const { path: place, sources, files } of mountedSecrets(workload)) {
      for (const source of sources) assert.match(text, new RegExp(`\`${source.secretName ?? source.name}\``), `${workload.name}: ${source.secretName ?? source.name}`);
      const keys = files?.map(({ key }) => key) ?? Object.values(environment).filter((value) => value.startsWith(`${place}/`)).map((value) => path.basename(value));
      for (const key of keys) assert.match(text, new RegExp(`\`${key.replace('.', '\\.')}\``), `${workload.name}: ${key}`);
    }
  }
});
