// needs: database, kafka, strapi
// Envoy with the shipped configuration before a stand-in for Strapi; the real clerk-ingest verifies. Slow only because
// Envoy is fetched, once.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { before, test } from 'node:test';
import { keepPromises, setStage } from '../gateway-promises.mjs';
import { envoy } from '../gateway-requests.mjs';
import { ask, programOf, startEnvoy } from '../gateways.mjs';
import { newSiteDatabase, startIngest, startWorker } from '../support.mjs';

const { program, missing } = await programOf('envoy');

if (missing) {
  test('Envoy before Strapi', { skip: missing }, () => {});
} else {
  let stage;
  before(async () => {
    stage = await setStage({ dialect: 'envoy', database: await newSiteDatabase(), start: { ingest: startIngest, worker: startWorker }, open: (addresses) => startEnvoy(program, addresses) });
  });

  keepPromises(() => stage);

  test('envoy: sends the same bytes as the tests without Envoy', async (t) => {
    const received = [];
    const standIn = net.createServer((socket) =>
      socket.on('error', () => {}).on('data', (data) => {
        received.push(String(data));
        socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    await once(standIn.listen(0, '127.0.0.1'), 'listening');
    t.after(() => standIn.close());
    const gateway = await startEnvoy(program, { ingest: `127.0.0.1:${standIn.address().port}`, upstream: stage.upstream.address });
    const headers = [['Authorization', 'Bearer x'], ['Cookie', 'a=b'], ['Origin', 'http://a.example'], ['Traceparent', '00-1'], ['X-Clerk-User-Id', 'user_2x'], ['X-Original-URI', '/']];
    const inOrder = (request) => {
      const [first, ...rest] = request.split('\r\n');
      return [first, ...rest.filter(Boolean).sort()];
    };
    for (const [method, target] of [['PUT', '/api/users/7?x=%20'], ['HEAD', '/api/users'], ['OPTIONS', '/']]) {
      received.length = 0;
      await ask(gateway.origin, method, target, ['Host', 'api.example.com', ...headers.flat()]);
      assert.deepEqual(received.map(inOrder), [inOrder(envoy().request({ method, target, headers }))]);
    }
    await gateway.stop();
  });
}
