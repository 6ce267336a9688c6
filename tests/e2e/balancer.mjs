// A load balancer in front of several instances of ingest: it reads /readyz of each one every 100 ms and takes turns among
// those that are ready. Instances may join and leave the list at any time.

import net from 'node:net';
import { after } from 'node:test';
import { readiness, waitFor } from './support.mjs';

const endings = [];
after(() => endings.forEach((end) => end())); // also of a test that failed

export function startBalancer(instances) {
  let ready = [...instances];
  let turn = 0;
  let on = true;
  const isReady = (one) => readiness(one).then(({ status }) => status === 200, () => false);
  const polling = waitFor(async () => {
    const asked = [...instances];
    const states = await Promise.all(asked.map(isReady));
    ready = asked.filter((_, i) => states[i]);
    return !on;
  }, { what: 'the end of the test', deadlineMs: 600_000, everyMs: 100 });
  const next = () => ready[turn++ % ready.length];

  let server;
  const end = () => {
    on = false;
    server?.close();
    return polling;
  };
  endings.push(end);
  return {
    next,
    readyCount: () => ready.length,
    // One address for a client that has only one, such as Strapi's plugin. Like kube-proxy it balances connections, not requests.
    async listen() {
      server = net.createServer((client) => {
        const upstream = net.connect(Number(new URL(next().url).port), '127.0.0.1');
        for (const [from, to] of [[client, upstream], [upstream, client]]) from.on('error', () => to.destroy()).on('close', () => to.destroy()).pipe(to);
      });
      await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
      server.unref();
      return `http://127.0.0.1:${server.address().port}`;
    },
    end,
  };
}
