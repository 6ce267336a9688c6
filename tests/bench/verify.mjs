// Part 4: the cost of a session token, new and repeated; beside HTTP alone, OpenSSL and Clerk's own SDK.
// Then the complete request: GET /api/users/me through Strapi with the plugin, beside Strapi without it and its own JWT.
import { execFile } from 'node:child_process';
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { measure, median, newDatabase, newTopics, quick, repository, runFolder, spread, sql, start, startIngest, until } from './support.mjs';

const runFile = promisify(execFile);
const rounds = quick ? 3 : 5;
const users = 1000;
const tokensARound = quick ? 4_000 : 10_000;
const timesAgain = quick ? 20 : 60; // each of `users` tokens
const connections = 64;
const strapiConnections = 16;
const strapiRequests = quick ? 1_000 : 3_000;
const issuer = 'https://clerk.bench.example';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = publicKey.export({ type: 'spki', format: 'pem' });
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

// As large as Clerk's own: the claims of version 2 and an organization.
function token(user, number) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    azp: 'https://app.bench.example', exp: now + 590, fva: [3, -1], iat: now, iss: issuer, jti: `bench${number}`, nbf: now - 10,
    o: { id: 'org_2bench', rol: 'admin', slg: 'bench', per: 'read,manage', fpm: '3' }, pla: 'u:free', sid: `sess_2bench${user}`,
    sts: 'active', sub: `user_2bench${user}`, v: 2,
  };
  const signed = `${part({ alg: 'RS256', cat: 'cl_B7d4PD111AAA', kid: 'ins_2bench', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
}

let files = 0;
function bearerFile(tokens) {
  const file = path.join(runFolder, `bearers-${++files}`);
  writeFileSync(file, tokens.join('\n') + '\n');
  return file;
}

async function ask({ port, pid }, target, bearers, more = {}) {
  const options = { connections, times: 1, ...more };
  const [result] = await measure('bench-request-load', ['--to', port, '--target', target, '--bearers', bearers, '--connections', options.connections, '--times', options.times, ...(pid ? ['--process', pid] : [])]);
  if (result.accepted !== result.requests) throw new Error(`of ${result.requests} requests only ${result.accepted} were answered 200`);
  return { ...result, rate: result.requests / result.seconds, cpu: (result.cpu_s / result.requests) * 1e6 };
}

const insertUsers = (database, count = users) =>
  sql(database, `with u as (insert into up_users (document_id, username, email, provider, confirmed, blocked, clerk_id, created_at, updated_at, published_at)
      select 'd' || lpad(i::text, 23, '0'), 'bench' || i, 'bench' || i || '@example.com', 'clerk', true, false, 'user_2bench' || i, now(), now(), now()
        from generate_series(0, ${count - 1}) i returning id)
    insert into up_users_role_lnk (user_id, role_id, user_ord) select u.id, r.id, u.id from u, up_roles r where r.type = 'authenticated'`);

async function startVerify(name) {
  const [topics, database] = [await newTopics(`verify-${name}`), await newDatabase(`verify_${name}`)];
  await insertUsers(`verify_${name}`);
  return startIngest({ ...topics, DATABASE_URL: database, CLERK_JWT_KEY: pem, CLERK_ISSUER: issuer, CLERK_AUTHORIZED_PARTIES: 'https://app.bench.example' });
}

async function startEcho() {
  const echo = start('bench-http-echo', []);
  return Object.assign(echo, { port: Number(await until(() => echo.log().trim(), { what: 'bench-http-echo listens' })) });
}

async function opensslVerify() {
  const { stdout } = await runFile('openssl', ['speed', '-seconds', '2', 'rsa2048']);
  return 1e6 / Number(/rsa 2048 bits.* ([0-9.]+)\s*$/m.exec(stdout)[1]);
}

// On one core; the median of rounds, each with tokens it has not seen. Null where the package is not installed.
async function clerkSdk(tokens) {
  const entry = path.join(repository, 'tests/e2e/node_modules/@clerk/backend/dist/index.mjs');
  if (!existsSync(entry)) return null;
  const { verifyToken } = await import(entry);
  const begun = process.cpuUsage();
  for (const one of tokens) await verifyToken(one, { jwtKey: pem });
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / tokens.length;
}

async function costs(say) {
  const ingest = await startVerify('costs');
  const echo = await startEcho();
  const taken = { first: [], again: [], echo: [], sdk: [] };
  for (let round = 0; round <= rounds; round++) {
    const fresh = Array.from({ length: tokensARound }, (_, i) => token(i % users, `${round}-${i}`));
    const [all, some] = [bearerFile(fresh), bearerFile(fresh.slice(0, users))];
    const first = await ask(ingest, '/v1/auth/verify', all);
    const again = await ask(ingest, '/v1/auth/verify', some, { times: timesAgain });
    const bare = await ask(echo, '/v1/auth/verify', some, { times: timesAgain });
    const sdk = await clerkSdk(fresh.slice(0, 2000));
    if (round === 0) continue; // connections, page faults, the rows of all users
    taken.first.push(first);
    taken.again.push(again);
    taken.echo.push(bare);
    if (sdk !== null) taken.sdk.push(sdk);
    say(`  round ${round}: first ${first.cpu.toFixed(1)} us, again ${again.cpu.toFixed(1)} us (${Math.round(again.rate)}/s), echo ${bare.cpu.toFixed(1)} us, SDK ${sdk?.toFixed(0) ?? '-'} us`);
  }
  await ingest.stop();
  echo.child.kill('SIGKILL');
  return taken;
}

// --- Strapi

const strapi = path.join(repository, 'deploy/local/strapi');

async function startStrapi(name, database, options, environment) {
  const folder = path.join(runFolder, `strapi-${name}`);
  const { stdout } = await runFile(strapi, ['start', folder, database, ...options], { env: { ...process.env, ...environment }, maxBuffer: 1 << 24 });
  const [pid] = readFileSync(path.join(folder, 'pid'), 'utf8').split(' ');
  return { port: Number(new URL(stdout.trim()).port), pid: Number(pid), stop: () => runFile(strapi, ['stop', folder]) };
}

function strapiJwt(id) {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ id, iat: now, exp: now + 3600 })}`;
  return `${signed}.${createHmac('sha256', 'test-jwt-secret').update(signed).digest('base64url')}`;
}

async function emptyDatabase(name) {
  await sql('postgres', `drop database if exists ${name} with (force)`);
  await sql('postgres', `create database ${name}`);
  return process.env.BENCH_DATABASE_URL.replace(/\/postgres$/, `/${name}`);
}

async function throughStrapi(say) {
  const [mine, plain] = [await emptyDatabase('verify_strapi'), await emptyDatabase('verify_plain')];
  const topics = await newTopics('verify-strapi');
  const ingest = await startIngest({ ...topics, DATABASE_URL: mine, CLERK_JWT_KEY: pem, CLERK_ISSUER: issuer, CLERK_AUTHORIZED_PARTIES: 'https://app.bench.example' });
  const withPlugin = await startStrapi('plugin', mine, [], { CLERK_INGEST_URL: `http://127.0.0.1:${ingest.port}` });
  const without = await startStrapi('plain', plain, ['--plugin', 'off'], {});
  const migrate = start('clerk-worker', ['migrate'], { DATABASE_URL: mine });
  if ((await migrate.exited).code !== 0) throw new Error(`clerk-worker migrate failed\n${migrate.log()}`);
  await insertUsers('verify_strapi');
  await sql('verify_plain', `with u as (insert into up_users (document_id, username, email, provider, confirmed, blocked, created_at, updated_at, published_at)
      select 'd' || lpad(i::text, 23, '0'), 'bench' || i, 'bench' || i || '@example.com', 'local', true, false, now(), now(), now() from generate_series(0, ${users - 1}) i returning id)
    insert into up_users_role_lnk (user_id, role_id, user_ord) select u.id, r.id, u.id from u, up_roles r where r.type = 'authenticated'`);
  const ids = (await sql('verify_plain', 'select id from up_users order by id')).split('\n').map(Number);
  const me = { times: strapiRequests / 100, connections: strapiConnections };
  const taken = { clerk: [], jwt: [] };
  for (let round = 0; round <= rounds; round++) {
    const clerk = bearerFile(Array.from({ length: 100 }, (_, i) => token(i, `me-${round}-${i}`)));
    const jwt = bearerFile(ids.slice(0, 100).map(strapiJwt));
    const turns = [
      async () => ['clerk', await ask(withPlugin, '/api/users/me', clerk, me)],
      async () => ['jwt', await ask(without, '/api/users/me', jwt, me)],
    ];
    const done = {};
    for (const turn of round % 2 === 1 ? turns : turns.reverse()) Object.assign(done, Object.fromEntries([await turn()]));
    if (round === 0) continue; // compilers
    taken.clerk.push(done.clerk);
    taken.jwt.push(done.jwt);
    say(`  round ${round}: Strapi with the plugin ${Math.round(done.clerk.rate)}/s, Strapi alone ${Math.round(done.jwt.rate)}/s`);
  }
  await Promise.all([withPlugin.stop(), without.stop(), ingest.stop()]);
  return taken;
}

export async function verifyPart({ say, report }) {
  say('verify: session tokens');
  const taken = await costs(say);
  const cpu = (name) => taken[name].map((one) => one.cpu);
  const rate = (name) => spread(taken[name].map((one) => one.rate));
  report({ what: `verify: CPU per new token (${connections} connections), µs`, value: median(cpu('first')), text: spread(cpu('first'), 1), target: '≤ 40', reached: (value) => value <= 40, note: `${rate('first')} responses/s` });
  report({ what: 'verify: CPU per repeated token, µs', value: median(cpu('again')), text: spread(cpu('again'), 1), target: '≤ 15', reached: (value) => value <= 15, note: `${rate('again')} responses/s; p99 ${median(taken.again.map((one) => one.p99_ms)).toFixed(2)} ms` });
  report({ what: 'limit: HTTP only, same server and requests, µs', text: spread(cpu('echo'), 1), note: `${rate('echo')} responses/s` });
  const openssl = [];
  for (let i = 0; i < 3; i++) openssl.push(await opensslVerify());
  report({ what: 'limit: one RSA-2048 verification (openssl speed), µs', text: spread(openssl, 1) });
  report({ what: "Clerk's SDK, verifyToken with a PEM (Node), µs", text: taken.sdk.length > 0 ? spread(taken.sdk, 0) : 'not installed: tests/run --only e2e/token-differential fetches it' });

  say('verify: through Strapi');
  const way = await throughStrapi(say);
  const ratio = way.clerk.map((one, i) => one.rate / way.jwt[i].rate);
  report({ what: `GET /api/users/me, Strapi with the plugin, ${strapiConnections} connections: responses/s`, text: spread(way.clerk.map((one) => one.rate)), note: `p50 ${median(way.clerk.map((one) => one.p50_ms)).toFixed(1)} ms, p99 ${median(way.clerk.map((one) => one.p99_ms)).toFixed(1)} ms` });
  report({ what: 'the same, plain Strapi with its JWT', text: spread(way.jwt.map((one) => one.rate)), note: `p50 ${median(way.jwt.map((one) => one.p50_ms)).toFixed(1)} ms, p99 ${median(way.jwt.map((one) => one.p99_ms)).toFixed(1)} ms` });
  report({ what: 'with the plugin / plain Strapi', value: median(ratio), text: spread(ratio, 2), target: '≥ 2', reached: (value) => value >= 2 });
}
