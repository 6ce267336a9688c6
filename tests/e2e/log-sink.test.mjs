// needs: database, kafka
// F32: the log reader has stopped. Requests are processed as before, dropped lines are counted, and the program
// stops in time.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import {
  buildFolder, clerkUser, freePort, metric, newTopics, sendWebhook, startProcess, uniqueName, userCreated, waitFor, webhookSecret,
} from './support.mjs';

// As startIngest(), but its output goes to a reader that a test can stop.
async function startIngestIntoPipe(environment) {
  const pipe = path.join(process.env.TEST_RUN_DIR, uniqueName('log-pipe'));
  execFileSync('mkfifo', [pipe]);
  const reader = startProcess('log-reader', '/bin/cat', [pipe]);
  const [listen, admin] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const ingest = startProcess('clerk-ingest', '/bin/sh', ['-c', 'exec "$0" run >"$1" 2>&1', path.join(buildFolder, 'bin/clerk-ingest'), pipe], {
    INGEST_LISTEN: listen,
    ADMIN_LISTEN: admin,
    KAFKA_BROKERS: process.env.TEST_KAFKA_BROKERS,
    CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret,
    LOG_LEVEL: 'debug',
    ...environment,
  });
  const url = `http://${listen}`;
  const dropped = async () => metric(await (await fetch(`http://${admin}/metrics`, { signal: AbortSignal.timeout(2000) })).text(), 'clerk_ingest_log_lines_dropped_total');
  await waitFor(async () => (await fetch(`http://${admin}/readyz`)).status === 200, { what: 'ingest ready' });
  return { ingest, reader, url, port: Number(listen.split(':')[1]), dropped };
}

// Requests that are rejected, each with a line at debug, as fast as one connection takes them.
function refusedRequests(port, count) {
  const request = 'POST /webhooks/clerk HTTP/1.1\r\nHost: ingest\r\nContent-Length: 0\r\n\r\n';
  return new Promise((resolve, reject) => {
    let answers = 0;
    let tail = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request.repeat(count)));
    socket.setTimeout(20_000, () => socket.destroy(new Error(`${answers} of ${count} answers`)));
    socket.once('error', reject);
    socket.on('data', (data) => {
      const text = tail + data.toString('latin1');
      answers += text.split('HTTP/1.1 400 ').length - 1;
      tail = text.slice(-12);
      if (answers >= count) resolve(socket.destroy());
    });
  });
}

test('log: a blocked reader blocks no request, dropped lines are counted [F32, I1, I6]', async () => {
  const { ingest, reader, url, port, dropped } = await startIngestIntoPipe(await newTopics({ partitions: 1 }));
  const deliver = async () => (await sendWebhook(url, webhookSecret, { body: userCreated(clerkUser()) })).status;
  assert.equal(await deliver(), 200);
  assert.equal(await dropped(), 0);

  reader.signal('SIGSTOP');
  // More lines than the queue, the pipe and the reader's buffer hold together.
  await Promise.all(Array.from({ length: 8 }, () => refusedRequests(port, 1_500)));
  assert.deepEqual(new Set(await Promise.all(Array.from({ length: 20 }, deliver))), new Set([200]));
  const lost = await waitFor(dropped, { what: 'dropped lines counted' });
  assert.equal(await deliver(), 200);

  reader.signal('SIGCONT');
  const report = await waitFor(() => reader.log().split('\n').slice(0, -1).map((line) => JSON.parse(line)).find(({ msg }) => /^log lines were dropped/.test(msg)), { what: 'the log reports missing lines' });
  assert.deepEqual([report.level, report.lines > 0 && report.lines <= lost + 12_000], ['warning', true]);

  reader.signal('SIGSTOP');
  await Promise.all(Array.from({ length: 8 }, () => refusedRequests(port, 1_500)));
  const begin = Date.now();
  assert.deepEqual(await ingest.stop(), { code: 0, signal: null });
  assert.ok(Date.now() - begin <= 9_000, `ended after ${Date.now() - begin} ms`);
  reader.signal('SIGCONT');
});
