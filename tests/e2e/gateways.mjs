// Real gateways before a stand-in for Strapi, which returns what reached it. The configurations are the
// shipped ones of deploy/gateways; only addresses are filled in.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after } from 'node:test';
import { promisify } from 'node:util';
import { clerkUser, freePort, repository, sendWebhook, startProcess, uniqueName, userCreated, userDeleted, waitFor, webhookSecret } from './support.mjs';

const runFile = promisify(execFile);
export const gatewaysFolder = path.join(repository, 'deploy/gateways');
export const identityNames = ['x-clerk-user-id', 'x-clerk-session-id', 'x-strapi-user-id', 'x-strapi-user-role'];
export const bearer = (token) => ['Authorization', `Bearer ${token}`];

// --- requests as they are sent: a raw path, headers as a flat list, in any case and any number

export function ask(origin, method, target, headers = [], body) {
  const { hostname, port, host } = new URL(origin);
  const own = headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'host') ? [] : ['Host', host];
  const length = body === undefined ? [] : ['Content-Length', String(body.length)];
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, method, path: target, headers: [...own, ...headers, ...length], agent: false, timeout: 30_000 });
    request.once('error', reject).once('timeout', () => request.destroy(new Error(`${method} ${target}: no answer within 30 s`)));
    request.once('response', (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() }));
    });
    request.end(body);
  });
}

// --- the stand-in for Strapi

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
export const digest = (body) => ({ bytes: body.length, sha256: sha256(body) });

const servers = new Set();
after(() => servers.forEach((server) => server.close() && server.closeAllConnections()));

// Remembers every request, and responds with 200 or the status of `?status=`.
export async function startUpstream() {
  const seen = [];
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.once('end', () => {
      const pairs = request.rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), request.rawHeaders[i + 1]]] : []));
      seen.push({ method: request.method, url: request.url, pairs, body: digest(Buffer.concat(parts)) });
      const status = Number(/[?&]status=(\d+)/.exec(request.url)?.[1] || 200);
      response.writeHead(status, { 'content-type': 'text/plain', 'x-from': 'upstream' }).end(`upstream says ${status}`);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.add(server);
  return { address: `127.0.0.1:${server.address().port}`, seen };
}

// All values of the headers of this name, in any spelling.
export const valuesOf = (request, name) =>
  request.pairs.flatMap(([written, value]) => (written.replaceAll(/[^a-z0-9]/g, '-') === name ? [value] : []));
export const identityOf = (request) => Object.fromEntries(identityNames.map((name) => [name, valuesOf(request, name)]));

// --- the shipped configurations

export const shipped = (name) => readFileSync(path.join(gatewaysFolder, name), 'utf8');

const maskAddresses = (text) => text.replaceAll(/\d+(\.\d+){3}(:\d+)?|\d+/g, '@');

// Fills in addresses and nothing else. Each placeholder must occur exactly once: a changed file that is not
// filled in is no test.
export function fillIn(text, replacements) {
  for (const [from, to] of replacements) {
    assert.equal(maskAddresses(from), maskAddresses(to), 'only addresses are filled in');
    assert.equal(text.split(from).length - 1, 1, `"${from}" must occur exactly once in the shipped file`);
    text = text.replace(from, () => to);
  }
  return text;
}

export async function programOf(gateway) {
  try {
    return { program: (await runFile(path.join(repository, 'tests/tools/gateway'), [gateway])).stdout.trim() };
  } catch (error) {
    return { missing: error.stderr.trim().split('\n').at(-1) };
  }
}

function newFolder(name) {
  const folder = path.join(process.env.TEST_RUN_DIR || path.join(repository, 'build/test-run/by-hand'), uniqueName(name));
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function untilListening(gateway, origin) {
  await waitFor(async () => !gateway.running() || (await ask(origin, 'OPTIONS', '/')), { what: `${gateway.name} listens`, deadlineMs: 20_000 });
  assert.ok(gateway.running(), `${gateway.name} ended\n${gateway.tail()}`);
  return Object.assign(gateway, { origin });
}

// Only the part around the shipped file differs between machines: where an ordinary user may write. One
// process, the one that we started: a killed master would leave its workers running.
const nginxFrame = (file) => `
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
    access_log off;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`).join('\n    ')}
    include ${file};
}
`;

export async function startNginx(program, { ingest, upstream }) {
  const folder = newFolder('nginx');
  const listen = `127.0.0.1:${await freePort()}`;
  writeFileSync(
    path.join(folder, 'strapi.conf'),
    fillIn(shipped('nginx.conf'), [['server 127.0.0.1:8080;', `server ${ingest};`], ['server 127.0.0.1:1337;', `server ${upstream};`], ['listen 80;', `listen ${listen};`]]),
  );
  writeFileSync(path.join(folder, 'nginx.conf'), nginxFrame(path.join(folder, 'strapi.conf')));
  const nginx = startProcess('nginx', program, ['-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')]);
  return untilListening(nginx, `http://${listen}`);
}

const socket = (address) => `address: ${address.split(':')[0]}, port_value: ${address.split(':')[1]}`;

export async function startEnvoy(program, { ingest, upstream }) {
  const folder = newFolder('envoy');
  const listen = `127.0.0.1:${await freePort()}`;
  const file = path.join(folder, 'envoy.yaml');
  writeFileSync(
    file,
    fillIn(shipped('envoy.yaml'), [[socket('127.0.0.1:8080'), socket(ingest)], [socket('127.0.0.1:1337'), socket(upstream)], [socket('0.0.0.0:80'), socket(listen)]]),
  );
  const envoy = startProcess('envoy', program, ['--config-path', file, '--concurrency', '1', '--log-level', 'warning', '--disable-hot-restart']);
  return untilListening(envoy, `http://${listen}`);
}

// --- users

// Through webhooks and the worker, so that every row is one that the product writes.
export async function makePeople({ ingest, sign, database }) {
  const users = { owner: clerkUser(), other: clerkUser(), blocked: clerkUser({ banned: true }), deleted: clerkUser() };
  const deliver = async (body) => assert.equal((await sendWebhook(ingest.url, webhookSecret, { body })).status, 200);
  for (const user of Object.values(users)) await deliver(userCreated(user));
  const rowOf = async ({ id }) => (await database.rows('select u.id, u.blocked, r.type from up_users u join up_users_role_lnk l on l.user_id = u.id join up_roles r on r.id = l.role_id where u.clerk_id = $1', [id]))[0];
  const people = {};
  for (const [name, user] of Object.entries(users)) {
    const row = await waitFor(() => rowOf(user), { what: `the row of ${name}`, deadlineMs: 30_000 });
    people[name] = { clerkId: user.id, id: row.id, role: row.type, token: sign({ sub: user.id }) };
  }
  await waitFor(async () => (await rowOf(users.blocked)).blocked, { what: 'the block' });
  await deliver(userDeleted(users.deleted.id));
  await waitFor(async () => !(await rowOf(users.deleted)), { what: 'the deletion' });
  return people;
}

// --- what a program behind the gateway might make of a URL

const unescapeOnce = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
const withoutDots = (text) => {
  const kept = [];
  for (const segment of text.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return kept.join('/');
};
const habits = [unescapeOnce, withoutDots, (text) => text.replaceAll('\\', '/'), (text) => text.replaceAll(/;[^/]*/g, ''), (text) => text.replaceAll(/\/+/g, '/'), (text) => text.split('#')[0], (text) => text.replace(/^https?:\/\/[^/]*/i, '')];

// The ids of the users that some program, strict or lax, could take this URL to name: every habit on and off, in
// four rounds, so that one decoding can expose the next.
export function usersNamedBy(url) {
  let forms = new Set([url.split('?')[0]]);
  for (let round = 0; round < 4; round++) {
    forms = new Set([...forms].flatMap((form) => [form, ...habits.map((habit) => habit(form))]));
  }
  return new Set([...forms].flatMap((form) => {
    const found = /^\/+api\/+users\/+(\d+)(?:\/|$|\?)/i.exec(form);
    return found ? [Number(found[1])] : [];
  }));
}
