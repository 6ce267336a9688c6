// needs: database, kafka
// What the system does to a process: signals of every kind, and too few descriptors (F27, F28).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { clerkUser, command, newTablesDatabase, newTopics, readiness, sendWebhook, startIngest, startWorker, userCreated, waitFor, webhookSecret } from '../e2e/support.mjs';

const run = promisify(execFile);

let topics;
let database;
before(async () => {
  [topics, database] = await Promise.all([newTopics({ partitions: 1 }), newTablesDatabase()]);
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
});

const starters = {
  ingest: () => startIngest({ ...topics }),
  worker: () => startWorker({ ...topics, DATABASE_URL: database.url }),
};

for (const [name, start] of Object.entries(starters)) {
  test(`${name}: ignores SIGHUP and SIGPIPE, ends in order at SIGINT [F27, I6]`, async () => {
    const program = await start();
    for (const signal of ['SIGHUP', 'SIGPIPE', 'SIGHUP']) program.signal(signal);
    assert.equal((await readiness(program)).status, 200);
    assert.deepEqual(await program.stop({ signal: 'SIGINT' }), { code: 0, signal: null });
  });
}

test('ingest: a second SIGTERM ends it at once, with the exit code of an incomplete stop [F27]', async () => {
  const ingest = await starters.ingest();
  ingest.signal('SIGTERM');
  await waitFor(async () => (await readiness(ingest)).status === 503, { what: 'it stops, which takes three seconds' });
  const begin = Date.now();
  assert.equal((await ingest.stop()).code, 128 + 15);
  assert.ok(Date.now() - begin < 1500);
});

test('ingest: without free descriptors it serves open connections, then recovers [F28, I6, I9]', async () => {
  const ingest = await starters.ingest();
  const send = () => sendWebhook(ingest.url, webhookSecret, { body: userCreated(clerkUser()) });
  assert.equal((await send()).status, 200);
  const used = () => readdirSync(`/proc/${ingest.pid}/fd`).length;
  const limit = used() + 20;
  await run('prlimit', ['--pid', String(ingest.pid), `--nofile=${limit}:${limit}`]);

  const { hostname, port } = new URL(ingest.url);
  const crowd = await Promise.all(Array.from({ length: 60 }, () => new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => resolve(socket));
    socket.on('error', () => {});
  })));
  await waitFor(() => used() >= limit - 1, { what: 'no descriptor left' });
  const served = crowd.find((socket) => !socket.destroyed);
  const answer = new Promise((resolve) => served.once('data', (bytes) => resolve(String(bytes))));
  served.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(await answer, /^HTTP\/1\.1 404/);
  assert.ok(ingest.running());

  for (const socket of crowd) socket.destroy();
  await waitFor(async () => (await send()).status === 200, { what: 'webhooks are taken again' });
  assert.ok(used() < limit);
  assert.equal((await ingest.stop()).code, 0, ingest.tail());
});
