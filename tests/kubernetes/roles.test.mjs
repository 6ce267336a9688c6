// needs: database
// The two database roles, on a real PostgreSQL with Strapi's tables: what the programs need, and no password.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { buildFolder, folder, repository } from './rendered.mjs';

const server = process.env.TEST_DATABASE_URL;
const worker = path.join(buildFolder, 'bin/clerk-worker');
const skip = !server ? 'no PostgreSQL: run it by tests/run' : existsSync(worker) ? false : 'the programs are not built';
const name = `kubernetes_roles_${process.pid}`;
const address = skip ? undefined : new URL(server);
if (address) address.pathname = `/${name}`;
const as = (role) => Object.assign(new URL(address), { username: role, password: `${role}-secret` }).href;
const roles = ['clerk_ingest', 'clerk_worker'];

const sql = (url, text) => execFileSync('psql', ['--no-psqlrc', '-qtAX', '-v', 'ON_ERROR_STOP=1', url, '-c', text], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const load = (file, environment = {}) => {
  const { status, stderr } = spawnSync('psql', ['--no-psqlrc', '-qX', '-v', 'ON_ERROR_STOP=1', address.href, '-f', file], { encoding: 'utf8', env: { ...process.env, ...environment } });
  assert.equal(status, 0, stderr);
};
const refused = (role, text) => assert.throws(() => sql(as(role), text), /permission denied/, `${role}: ${text}`);
const makeRoles = () => load(path.join(folder, 'database-roles.sql'), Object.fromEntries(roles.map((role) => [`${role.toUpperCase()}_DATABASE_PASSWORD`, `${role}-secret`])));

before(() => {
  if (skip) return;
  sql(server, `create database ${name}`);
  load(path.join(repository, 'deploy/local/strapi-tables.sql'));
  execFileSync(worker, ['migrate'], { env: { DATABASE_URL: address.href }, stdio: 'pipe' });
  makeRoles();
});

after(() => {
  if (skip) return;
  sql(server, `drop database ${name} with (force)`); // the roles stay: other tests of this server use the same names
});

test('roles: the file can run again, and sets the given passwords', { skip }, () => {
  makeRoles();
  load(path.join(folder, 'database-roles.sql'));
  for (const role of roles) assert.match(sql(server, `select rolpassword from pg_authid where rolname = '${role}'`), /^SCRAM-SHA-256\$/);
});

test('roles: ingest reads users and no password', { skip }, () => {
  sql(as('clerk_ingest'), 'select id, document_id, username, email, confirmed, blocked, clerk_id from up_users');
  sql(as('clerk_ingest'), 'select clerk_id, tombstone from clerk_sync.user_state');
  sql(as('clerk_ingest'), "insert into clerk_sync.kafka_contact (fingerprint) values ('\\x00') on conflict do nothing");
  assert.equal(sql(as('clerk_ingest'), "select count(fingerprint) from clerk_sync.kafka_contact where fingerprint = '\\x00'"), '1');
  refused('clerk_ingest', "insert into clerk_sync.kafka_contact values ('\\x00', '2999-01-01')");
  refused('clerk_ingest', 'update clerk_sync.kafka_contact set seen_on = current_date');
  refused('clerk_ingest', 'delete from clerk_sync.kafka_contact');
  refused('clerk_ingest', 'select password from up_users');
  refused('clerk_ingest', 'select reset_password_token from up_users');
  refused('clerk_ingest', 'update up_users set blocked = true');
  refused('clerk_ingest', 'select * from admin_users');
});

test("roles: the worker has all rights that it needs, and none on the admins' tables", { skip }, async () => {
  const broker = spawn(path.join(buildFolder, 'bin/dev-broker'), { stdio: ['ignore', 'pipe', 'ignore'] }); // `check` reads it first
  const [line] = await once(broker.stdout, 'data');
  const { stdout } = spawnSync(worker, ['check'], { encoding: 'utf8', env: { DATABASE_URL: as('clerk_worker'), KAFKA_BROKERS: String(line).split('\n')[0] } });
  broker.kill();
  assert.match(stdout, /^ok +database/m, stdout);
  assert.match(stdout, /^ok +Strapi's tables/m, stdout);
  sql(as('clerk_worker'), "delete from clerk_sync.kafka_contact where seen_on < current_date - 90");
  sql(as('clerk_worker'), 'create temporary table looked (id int)');
  refused('clerk_worker', 'select * from admin_users');
  assert.throws(() => sql(as('clerk_worker'), 'alter table up_users add column x int'), /must be owner/);
});
