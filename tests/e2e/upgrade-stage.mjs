// Two versions of the product on one database, one set of topics and one consumer group: the previous landed version (old)
// and the build under test (new). Each has its programs, its `migrate` and its grants; the programs run in the two database roles.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';
import { linesOf } from './log-lines.mjs';
import {
  buildFolder, command, instanceId, newSigningKey, newSiteDatabase, readiness, repository, startIngest, startWorker, uniqueName, waitFor,
} from './support.mjs';

const runFile = promisify(execFile);

export const previousFolder = process.env.TEST_PREVIOUS_DIR;
export const versions = {
  old: { name: 'old', build: path.join(previousFolder, 'build/release'), sources: previousFolder },
  new: { name: 'new', build: buildFolder, sources: repository },
};
export const signingKey = newSigningKey();

const roles = { ingest: 'clerk_ingest', worker: 'clerk_worker' };
const passwordOf = (role) => `${role}-upgrade`;

// Of each version its own topic variables, each with its default name behind one prefix.
async function topicNames() {
  const prefix = uniqueName('upgrade').replaceAll('_', '-');
  const names = {};
  for (const { name, build } of Object.values(versions)) {
    names[name] = { KAFKA_GROUP_ID: `${prefix}-group` };
    for (const program of ['clerk-ingest', 'clerk-worker']) {
      const { stdout } = await command(program, ['--env-example'], {}, { build });
      for (const [, variable, topic] of stdout.matchAll(/^#(TOPIC_\w+)=(\S+)$/gm)) names[name][variable] = `${prefix}.${topic}`;
    }
  }
  return names;
}

const as = (database, role) => Object.assign(new URL(database.url), { username: role, password: passwordOf(role) }).href;

export async function newSite() {
  const [database, topics] = await Promise.all([newSiteDatabase(), topicNames()]);
  const common = { CLERK_INSTANCE_IDS: instanceId, LOG_FORMAT: 'json' };
  const settings = {
    ingest: { ...common, DATABASE_URL: as(database, roles.ingest), CLERK_JWT_KEY: signingKey.pem, CLERK_ISSUER: 'https://clerk.example.com' },
    worker: { ...common, DATABASE_URL: as(database, roles.worker), STRAPI_PROFILE_CONTENT_TYPES: 'api::user-profile.user-profile' },
  };
  const of = (version, environment) => ({ ...topics[version.name], ...environment });
  // A command of that version that must succeed; `codes` are the exit codes that count as success.
  async function must(version, args, environment, codes = [0]) {
    const done = await command('clerk-worker', args, environment, { build: version.build });
    assert.ok(codes.includes(done.code), `${version.name} clerk-worker ${args.join(' ')}: ${done.stdout}${done.stderr}`);
    return done.stdout;
  }
  return {
    database,
    topics: topics.new,
    migrate: (version) => must(version, ['migrate'], { DATABASE_URL: database.url }),
    createTopics: (version) => must(version, ['topics', '--partitions', '12', '--replication', '1'], topics[version.name]),
    check: (version) => command('clerk-worker', ['check'], of(version, settings.worker), { build: version.build }),
    // What an operator on call reads, with the rights of the worker. A new mapping makes `status` exit with 3: something to do.
    async operate(version) {
      await must(version, ['status'], of(version, settings.worker), [0, 3]);
      await must(version, ['replay', '--from', 'beginning', '--dry-run'], of(version, settings.worker));
    },
    // The roles and their rights as that version's files give them, the user profile's included.
    async grant({ sources }) {
      const passwords = Object.fromEntries(Object.values(roles).map((role) => [`${role.toUpperCase()}_DATABASE_PASSWORD`, passwordOf(role)]));
      await runFile('psql', ['--no-psqlrc', '-qX', '-v', 'ON_ERROR_STOP=1', database.url, '-f', path.join(sources, 'deploy/kubernetes/database-roles.sql')],
        { env: { ...process.env, ...passwords } });
      const grants = readFileSync(path.join(sources, 'schemas/sql/grants.sql'), 'utf8');
      for (const [, statement] of grants.matchAll(/^-- {2,}(grant .*;)$/gm)) await database.rows(statement);
    },
    ingest: (version, { wait = true } = {}) => start(startIngest, of(version, settings.ingest), version, wait),
    worker: (version, { wait = true } = {}) => start(startWorker, of(version, settings.worker), version, wait),
  };
}

async function start(startProgram, settings, version, wait) {
  const program = await startProgram(settings, { wait, build: version.build });
  return Object.assign(program, { version });
}

// --- clerk_sync as earlier releases left it

// Every earlier state of clerk_sync: what the first files of schemas/sql make, from none of them to all but the last.
export function earlierSchemas() {
  const folder = path.join(repository, 'schemas/sql');
  const files = readdirSync(folder).filter((name) => /^\d{4}_.*\.sql$/.test(name)).sort();
  return files.map((_, count) => ({
    name: count === 0 ? 'no clerk_sync' : `clerk_sync of ${files[count - 1]}`,
    sql: files.slice(0, count).map((file) => readFileSync(path.join(folder, file), 'utf8')),
  }));
}

// --- what the programs report

export const pauseOf = async (worker) => (await worker.metrics()).value('clerk_worker_paused');

const endings = [];
after(() => endings.forEach((end) => end())); // also of a test that failed

// Collects every pause that a worker of the list ever reports; workers may join and leave the list.
export function watchPauses(workers) {
  const seen = [];
  let on = true;
  const look = async (worker) => {
    const { text } = await worker.metrics();
    for (const [line] of text.matchAll(/^clerk_worker_paused\{.*\} [^0].*$/gm)) seen.push(`${worker.version.name} ${worker.pid}: ${line}`);
  };
  const polling = waitFor(async () => {
    await Promise.all([...workers].map((worker) => look(worker).catch(() => {}))); // one that is stopping does not respond
    return !on;
  }, { what: 'the end of the test', deadlineMs: 600_000, everyMs: 200 });
  const end = () => ((on = false), polling);
  endings.push(end);
  return { seen, end };
}

// Ready; or not ready because of clerk_sync, and then the reason names the command that fixes it.
export async function readyOrWaitingForMigrate(program) {
  const { status, failing } = await waitFor(async () => {
    const state = await readiness(program);
    return (state.status === 200 || state.failing.some(({ detail }) => /clerk-worker migrate/.test(detail))) && state;
  }, { what: `${program.name} ready, or waiting for clerk-worker migrate`, deadlineMs: 30_000 })
    .catch((error) => { throw new Error(`${error.message}\n${program.tail()}`); });
  return { ready: status === 200, failing };
}

const lacks = [
  { what: /permission denied|42501/, mustName: /GRANT|grants\.sql/ },
  { what: /(relation|table|column) .*does not exist|42P01|42703/, mustName: /clerk-worker migrate/ },
];

// A missing right or table is reported at warning level, once, with the fix; nothing is an error. Returns these warnings.
export function missingParts(program) {
  const lines = linesOf(program);
  assert.deepEqual(lines.filter(({ level }) => level === 'error'), [], `${program.version.name} ${program.name}`);
  const found = [];
  for (const line of lines.filter(({ level }) => level === 'warning')) {
    const text = JSON.stringify(line);
    const fixes = lacks.filter(({ mustName }) => mustName.test(text));
    const lack = lacks.find(({ what }) => what.test(text));
    if (lack) assert.match(text, lack.mustName, 'a warning about a missing part must name its fix');
    if (lack || fixes.length > 0) found.push(line.msg);
  }
  assert.equal(new Set(found).size, found.length, `${program.name} repeats a warning: ${JSON.stringify(found)}`);
  return found;
}
