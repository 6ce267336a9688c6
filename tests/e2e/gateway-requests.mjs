// The requests of gateways that a test cannot start everywhere, byte by byte as they send them, and how they treat a
// response. Traefik's and Envoy's lists of headers are read from the shipped configurations.

import assert from 'node:assert/strict';
import net from 'node:net';
import { identityNames, shipped } from './gateways.mjs';

const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'content-length', 'host']);
const prefix = '/v1/auth/gateway';

// A list of a YAML file in either form: [a, b] after the name, or `exact: a` in the lines below it.
const flowList = (text, name) => new RegExp(`${name}: \\[([^\\]]*)\\]`).exec(text)[1].split(',').map((item) => item.trim());
const exactList = (text, name) => [...new RegExp(`${name}:\\n\\s+patterns:\\n((?:\\s+- \\{ exact: .*\\n)+)`).exec(text)[1].matchAll(/exact: ([\w-]+)/g)].map(([, item]) => item);
const lower = (names) => names.map((name) => name.toLowerCase());

const canonical = (name) => name.toLowerCase().replaceAll(/(^|-)([a-z])/g, (_, dash, letter) => dash + letter.toUpperCase());
const write = (method, target, headers) => `${method} ${target} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
const named = (headers, name) => headers.filter(([one]) => one.toLowerCase() === name);

// A gateway is: request(client) -> text; allows(status); upstream(client, answer) -> the headers that Strapi gets.
// A client's request is {method, target, headers: [[name, value]]}, without Host.

export function traefik(text = shipped('traefik.yaml')) {
  const sent = /authRequestHeaders/.test(text) ? lower(flowList(text, 'authRequestHeaders')) : null;
  const copied = lower(flowList(text, 'authResponseHeaders'));
  return {
    dialect: 'traefik',
    request({ method, target, headers }) {
      const kept = headers.filter(([name]) => (sent ? sent.includes(name.toLowerCase()) : !hopByHop.has(name.toLowerCase())));
      const own = [['X-Forwarded-For', '198.51.100.7'], ['X-Forwarded-Host', 'api.example.com'], ['X-Forwarded-Method', method], ['X-Forwarded-Proto', 'https'], ['X-Forwarded-Uri', target]];
      const others = kept.filter(([name]) => own.every(([mine]) => mine.toLowerCase() !== name.toLowerCase()));
      const agent = named(others, 'user-agent').length ? [] : [['User-Agent', 'Go-http-client/1.1']];
      return write('GET', prefix, [['Host', '127.0.0.1:8080'], ...agent, ...others.map(([name, value]) => [canonical(name), value]), ...own, ['Accept-Encoding', 'gzip']]);
    },
    allows: (status) => status >= 200 && status < 300,
    upstream: ({ headers }, answer) => [...headers.filter(([name]) => !copied.includes(name.toLowerCase())), ...answer.headers.filter(([name]) => copied.includes(name.toLowerCase()))],
  };
}

export function envoy(text = shipped('envoy.yaml')) {
  const sent = exactList(text, 'allowed_headers');
  const copied = exactList(text, 'allowed_upstream_headers');
  return {
    dialect: 'envoy',
    request({ method, target, headers }) {
      const kept = headers.filter(([name]) => sent.includes(name.toLowerCase()));
      return write(method, prefix + target, [['host', 'api.example.com'], ['content-length', '0'], ...kept.map(([name, value]) => [name.toLowerCase(), value]), ['x-envoy-internal', 'true'], ['x-envoy-expected-rq-timeout-ms', '8000']]);
    },
    allows: (status) => status === 200,
    // Without the early removal of the shipped file: the response alone must suffice.
    upstream({ headers }, answer) {
      const removed = named(answer.headers, 'x-envoy-auth-headers-to-remove').flatMap(([, value]) => lower(value.split(',').map((name) => name.trim())));
      const set = answer.headers.filter(([name]) => copied.includes(name.toLowerCase()));
      const gone = [...removed, ...lower(set.map(([name]) => name))];
      return [...headers.filter(([name]) => !gone.includes(name.toLowerCase())), ...set];
    },
  };
}

// auth-url and auth-response-headers; all headers of the client are sent too, its X-Original-URI included.
export function ingressNginx() {
  const own = (method, target) => [
    ['X-Original-URL', `https://api.example.com${target}`], ['X-Original-Method', method], ['X-Sent-From', 'nginx-ingress-controller'], ['X-Real-IP', '198.51.100.7'],
    ['X-Forwarded-For', '198.51.100.7'], ['X-Auth-Request-Redirect', target], ['X-Request-ID', '5c2f0e6a1b7d4c3e9f80a1b2c3d4e5f6'],
  ];
  return {
    dialect: 'nginx',
    request({ method, target, headers }) {
      const mine = own(method, target);
      const kept = headers.filter(([name]) => !hopByHop.has(name.toLowerCase()) && mine.every(([one]) => one.toLowerCase() !== name.toLowerCase()));
      return write('GET', prefix, [['Host', 'ingest.default.svc.cluster.local'], ...mine, ...kept]);
    },
    allows: (status) => status >= 200 && status < 300,
    upstream: ({ headers }, answer) => [...headers.filter(([name]) => !identityNames.includes(name.toLowerCase())), ...answer.headers.filter(([name]) => identityNames.includes(name.toLowerCase()))],
  };
}

// One connection, as a gateway's pool has it: requests one after the other, each response read to its end by the
// framing that a client of this method must assume.
export async function connectTo(address) {
  const [host, port] = address.split(':');
  const connection = net.connect({ host, port: Number(port) });
  let received = Buffer.alloc(0);
  let changed = () => {};
  let ended = null;
  connection.on('data', (data) => { received = Buffer.concat([received, data]); changed(); });
  connection.on('error', (error) => { ended = error; changed(); }).on('close', () => { ended ??= new Error('closed'); changed(); });
  const until = async (ready) => {
    while (!ready()) {
      if (ended) throw ended;
      await new Promise((resolve) => (changed = resolve));
    }
  };
  return {
    async exchange(text) {
      connection.write(text);
      await until(() => received.includes('\r\n\r\n'));
      const head = received.indexOf('\r\n\r\n');
      const [first, ...lines] = received.subarray(0, head).toString().split('\r\n');
      const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
      const bodyBytes = text.startsWith('HEAD ') ? 0 : Number(named(headers, 'content-length')[0]?.[1]);
      assert.ok(bodyBytes >= 0, `no Content-Length: ${received.subarray(0, head)}`);
      await until(() => received.length >= head + 4 + bodyBytes);
      const body = received.subarray(head + 4, head + 4 + bodyBytes).toString();
      received = received.subarray(head + 4 + bodyBytes);
      return { status: Number(first.split(' ')[1]), headers, body, left: received.length };
    },
    end: () => connection.destroy(),
  };
}
