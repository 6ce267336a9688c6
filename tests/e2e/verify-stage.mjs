// A stand-in for ingest's GET /v1/auth/verify, for tests of the plugin alone: it responds by the contract, from a table of
// tokens, counts calls and connections, and can fail in each possible way.

import { createHmac } from 'node:crypto';
import http from 'node:http';
import { after } from 'node:test';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

// Looks like a session token of Clerk; only the table decides its result.
export const clerkToken = (name, header = {}) =>
  `${part({ alg: 'RS256', typ: 'JWT', kid: 'ins_2pluginstage', ...header })}.${part({ sub: name, sid: `sess_${name}` })}.${Buffer.from(`signature of ${name}`).toString('base64url')}`;

// A token as users-permissions issues it.
export function strapiJwt(userId, secret = 'test-jwt-secret') {
  const now = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ id: userId, iat: now, exp: now + 3600 })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const problem = (status, reason) => ({ status, type: 'application/problem+json', body: { type: `urn:clerk-strapi-sync:${reason}`, title: reason, status } });

const faults = {
  unavailable: (response) => response.writeHead(503, { 'retry-after': '7' }).end(JSON.stringify(problem(503, 'unavailable').body)),
  broken: (response) => response.writeHead(500).end('not JSON'),
  cut: (response) => response.destroy(),
  'cut in the body': (response) => response.writeHead(200, { 'content-length': '5000' }).write('{"clerkId":', () => response.destroy()),
  hanging: () => {},
  'hanging in the body': (response) => response.writeHead(200, { 'content-length': '5000' }).write('{"clerkId":'),
  'no user': (response) => response.writeHead(200).end('{"hello":"world"}'),
  'not JSON': (response) => response.writeHead(200).end('<html>'),
  'a redirect': (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
  'too long': (response) => response.writeHead(200).end(`{"clerkId":"user_2owner","user":{"id":901,"role":null}}${' '.repeat(1 << 20)}`),
};
export const outages = Object.keys(faults);

// At the end of the file, not of the hook that started it.
const closers = [];
after(() => Promise.all(closers.map((close) => close())));

export async function startVerifyStage() {
  const table = new Map();
  const stage = { calls: [], connections: 0, fault: null, table, url: null };

  const server = http.createServer((request, response) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization)?.[1];
    stage.calls.push({ url: request.url, method: request.method, token });
    if (stage.fault) return faults[stage.fault](response);
    const { status, type, body, delayMs = 0 } = table.get(token) ?? problem(401, 'invalid_token');
    const headers = { 'content-type': type ?? 'application/json', ...(status === 401 ? { 'www-authenticate': 'Bearer error="invalid_token"' } : {}) };
    return setTimeout(() => response.writeHead(status, headers).end(JSON.stringify(body)), delayMs);
  });
  server.on('connection', () => {
    stage.connections += 1;
  });
  const listen = (port) => new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  await listen(0);
  const { port } = server.address();
  stage.url = `http://127.0.0.1:${port}`;
  closers.push(close);

  return Object.assign(stage, {
    close,
    reopen: () => listen(port),
    letIn: (token, clerkId, user, { actor, ...more } = {}) =>
      table.set(token, { status: 200, body: { clerkId, sessionId: `sess_${clerkId}`, expiresAt: '2030-01-01T00:00:00Z', ...(actor && { actor }), user }, ...more }),
    forbid: (token) => table.set(token, problem(403, 'user_blocked')),
    // Runs the action and returns the calls that arrived meanwhile.
    async callsOf(action) {
      const before = stage.calls.length;
      const value = await action();
      return { value, calls: stage.calls.slice(before) };
    },
    async during(fault, action) {
      stage.fault = fault;
      try {
        return await action();
      } finally {
        stage.fault = null;
      }
    },
  });
}
