// needs: database, kafka
// Both programs and a PostgreSQL that accepts TLS with client certificates only: what starts, what is rejected, and how
// certificates are replaced while the programs run (F30).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import pg from 'pg';
import { startClerk } from './clerk-stand-in.mjs';
import { assertWithout, lineComes, linesOf } from './log-lines.mjs';
import {
  clerkUser, command, newSigningKey, newTopics, readiness, repository, sendWebhook, startIngest, startWorker, uniqueName,
  userCreated, waitFor, webhookSecret,
} from './support.mjs';
import { postgresServer } from '../tools/scripts.mjs';

const run = promisify(execFile);

const at = (name) => path.join(process.env.TEST_RUN_DIR, name);
const certificates = at('certificates');
const pem = (name) => path.join(certificates, name);
const text = (name) => readFileSync(pem(name), 'utf8');
const server = at(uniqueName('postgres'));
const files = { ca: at('ca.pem'), certificate: at('client.pem'), key: at('client-key.pem') };

// A mounted Secret changes like this: another file under the same name.
function replace(file, content) {
  writeFileSync(`${file}.next`, content);
  renameSync(`${file}.next`, file);
}

const present = (name) => postgresServer('tls', server, pem(`${name}.crt`), pem(`${name}.key`), files.clientCa);
const signingKey = newSigningKey('ins_2tls');
let root; // the superuser's session
let settings, services, clerk;

before(async () => {
  await run(path.join(repository, 'tests/support/certificates'), [certificates]);
  files.clientCa = pem('ca.crt');
  const url = await postgresServer('start', server, '--no-fsync');
  root = new pg.Client({ connectionString: url });
  await root.connect();
  const [{ hba }] = (await root.query("select current_setting('hba_file') as hba")).rows;
  writeFileSync(hba, `hostssl all certified 127.0.0.1/32 cert\nhost all certified 127.0.0.1/32 reject\n${readFileSync(hba, 'utf8')}`);
  await root.query('create role certified superuser login');
  await root.query(readFileSync(path.join(repository, 'deploy/local/strapi-tables.sql'), 'utf8'));
  await present('server');
  replace(files.ca, text('ca.crt'));
  replace(files.certificate, text('client.crt'));
  replace(files.key, text('client.key'));
  const [topics, standIn] = await Promise.all([newTopics({ partitions: 1 }), startClerk({ keys: [signingKey] })]);
  clerk = standIn;
  const { hostname, port } = new URL(url);
  settings = {
    ...topics, LOG_FORMAT: 'json', DATABASE_HOST: hostname, DATABASE_PORT: port, DATABASE_NAME: 'postgres', DATABASE_USERNAME: 'certified',
    DATABASE_SSL: 'true', DATABASE_SSL_CA_FILE: files.ca, DATABASE_SSL_CERT_FILE: files.certificate, DATABASE_SSL_KEY_FILE: files.key,
  };
  const migrated = await command('clerk-worker', ['migrate'], settings);
  assert.equal(migrated.code, 0, migrated.stderr);
});

after(async () => {
  await root?.end();
  await postgresServer('remove', server);
});

const check = (program, changes = {}) =>
  command(program, ['check'], { CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret, STRAPI_PROFILE_CONTENT_TYPES: 'api::user-profile.user-profile', ...settings, ...changes });
const onBoth = async (changes, expect) => {
  for (const program of ['clerk-ingest', 'clerk-worker']) {
    const done = await check(program, changes);
    expect(done, `${program}: ${done.stdout}${done.stderr}`);
  }
};

test('database TLS: check reports whether the server is verified, and how to change that', async () => {
  await onBoth({}, ({ code, stdout }, all) => {
    assert.equal(code, 0, all);
    assert.match(stdout, /database: PostgreSQL \d+\.\d+.*, TLSv1\.3, certificate and host name verified/);
    assert.doesNotMatch(stdout, /DATABASE_SSL/);
  });
  // In the environment itself, with line breaks written as \n.
  const inline = { DATABASE_SSL_CA_FILE: '', DATABASE_SSL_CA: text('ca.crt').replaceAll('\n', '\\n') };
  await onBoth(inline, ({ code }, all) => assert.equal(code, 0, all));
  await onBoth({ DATABASE_SSL_REJECT_UNAUTHORIZED: 'false' }, ({ code, stdout }, all) => {
    assert.equal(code, 0, all);
    assert.match(stdout, /certificate not verified/);
    assert.match(stdout, /warn.*DATABASE_SSL_REJECT_UNAUTHORIZED switches verification off/);
  });
  await onBoth({ DATABASE_SSL_CA_FILE: pem('other-ca.crt') }, ({ code, stdout }, all) => {
    assert.equal(code, 1, all);
    assert.match(stdout, /certificate verify failed: the server's certificate has expired, or no CA in DATABASE_SSL_CA/);
  });
});

test('database TLS: contradicting settings stop both programs at start and name the variables', async () => {
  const open = { DATABASE_SSL: '', DATABASE_SSL_CERT_FILE: '', DATABASE_SSL_KEY_FILE: '' };
  await onBoth(open, ({ code, stderr }, all) => {
    assert.equal(code, 2, all);
    assert.match(stderr, /DATABASE_SSL_CA is set, but TLS is off: set DATABASE_SSL=true/);
  });
  await onBoth({ DATABASE_SSL_KEY_FILE: pem('stranger.key') }, ({ code, stderr }, all) => {
    assert.equal(code, 2, all);
    assert.match(stderr, /DATABASE_SSL_KEY is not the private key of the certificate in DATABASE_SSL_CERT/);
  });
});

test('database TLS: a service without verification warns at each start', async () => {
  const unverified = { ...settings, DATABASE_SSL_REJECT_UNAUTHORIZED: 'false', DATABASE_SSL_CAPATH: '/etc/ssl/certs' };
  for (const program of await Promise.all([startIngest(unverified), startWorker(unverified)])) {
    await lineComes(program, { level: 'warning', msg: /^DATABASE_SSL_REJECT_UNAUTHORIZED switches verification off/ });
    await lineComes(program, { level: 'warning', msg: /^DATABASE_SSL_CAPATH is ignored/ });
    assert.equal((await program.stop()).code, 0);
  }
});

const verify = async (id) => {
  const answer = await fetch(`${services[0].url}/v1/auth/verify`, { headers: { authorization: `Bearer ${signingKey.sign({ sub: id })}` }, signal: AbortSignal.timeout(15_000) });
  await answer.arrayBuffer();
  return answer.status;
};
const deliver = async (user) => assert.equal((await sendWebhook(services[0].url, webhookSecret, { body: userCreated(user) })).status, 200);
const rowComes = (id) =>
  waitFor(async () => (await root.query('select 1 from up_users where clerk_id = $1', [id])).rows.length === 1, { what: `the row of ${id}`, deadlineMs: 30_000 });
const endConnections = () => root.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'certified'");
const works = async () => {
  const user = clerkUser();
  await deliver(user);
  await rowComes(user.id);
  await waitFor(async () => (await verify(user.id)) === 200, { what: 'a token of a user in the database', deadlineMs: 30_000 });
  await waitFor(async () => (await readiness(services[1])).status === 200, { what: 'the worker ready', deadlineMs: 30_000 });
};
const failingDetail = (program) => waitFor(async () => (await readiness(program)).failing.find(({ detail }) => /SSL|certificate/.test(detail))?.detail, { what: `${program.name} reports the connection`, deadlineMs: 30_000 });
const keptLines = (program) => linesOf(program).filter(({ msg }) => /keeping the previous ones/.test(msg)).length;

test('database TLS: a new CA and client certificate apply to the next connection, no restart', async () => {
  services = await Promise.all([
    startIngest({ ...settings, CLERK_API_URL: clerk.url, CLERK_SECRET_KEY: clerk.secretKey, CLERK_ISSUER: 'https://clerk.example.com', VERIFY_STALE_MS: '0', VERIFY_CACHE_MS: '0' }),
    startWorker(settings),
  ]);
  await works();
  const [{ all_ssl: encrypted }] = (await root.query("select bool_and(ssl) as all_ssl from pg_stat_activity join pg_stat_ssl using (pid) where usename = 'certified'")).rows;
  assert.equal(encrypted, true);

  // The server's certificate is of another CA, which the programs do not trust yet.
  await present('other-server');
  await endConnections();
  for (const program of services) assert.match(await failingDetail(program), /certificate verify failed: the server's certificate has expired, or no CA in DATABASE_SSL_CA/);
  await lineComes(services[1], { level: 'warning', detail: /certificate verify failed.*no CA in DATABASE_SSL_CA/ });

  // A half-written file keeps the previous value, and is logged once.
  replace(files.ca, text('other-ca.crt').slice(0, 100));
  for (const program of services) await lineComes(program, { level: 'error', fault: /^DATABASE_SSL_CA holds a certificate that cannot be read/ });
  replace(files.ca, text('other-ca.crt'));
  await works();
  for (const program of services) {
    assert.equal(keptLines(program), 1);
    await lineComes(program, { level: 'info', msg: /^read the changed database settings/ });
  }

  // The certificate is there before its key: the previous pair stays until the key is there too.
  replace(files.certificate, text('next-client.crt'));
  await endConnections();
  for (const program of services) await lineComes(program, { level: 'error', fault: /^DATABASE_SSL_KEY is not the private key/ });
  await works();
  replace(files.key, text('next-client.key'));
  await endConnections();
  const serial = BigInt(`0x${(await run('openssl', ['x509', '-in', pem('next-client.crt'), '-noout', '-serial'])).stdout.trim().split('=')[1]}`).toString();
  await works();
  await waitFor(
    async () => {
      const { rows } = await root.query("select client_serial::text as serial from pg_stat_activity join pg_stat_ssl using (pid) where usename = 'certified'");
      return rows.length > 0 && rows.every((row) => row.serial === serial);
    },
    { what: 'all connections with the new client certificate', deadlineMs: 30_000 },
  );
});

test('database TLS: an expired server certificate is reported, renewal fixes both programs [I9]', async () => {
  await present('expired');
  await endConnections();
  for (const program of services) assert.match(await failingDetail(program), /the server's certificate has expired/);
  await present('other-server');
  await works();
});

test('database TLS: no key is in a log [I6]', async () => {
  const secrets = ['client.key', 'next-client.key'].flatMap((name) => text(name).split('\n').filter((line) => line && !line.startsWith('-----')));
  for (const program of services) {
    assert.equal((await program.stop()).code, 0);
    assertWithout(program.log(), secrets, program.logFile);
  }
});
