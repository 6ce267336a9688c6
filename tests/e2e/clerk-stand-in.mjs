// Clerk's Backend API as far as the programs ask it, with verbs for what can go wrong: a key set, users, delays,
// errors. Counts what it was asked.

import http from 'node:http';
import { after } from 'node:test';

const notFound = { errors: [{ code: 'resource_not_found', message: 'not found', long_message: 'No user was found with this id.' }] };

// Of the whole file: one that is registered while a hook runs would end with the hook.
const running = new Set();
after(() => Promise.all([...running].map((clerk) => clerk.stop())));

export const clerkSecretKey = 'sk_test_endtoendtests0123456789';

export async function startClerk({ keys = [], users = [] } = {}) {
  const clerk = {
    keys: [...keys],
    users: new Map(users.map((user) => [user.id, user])),
    asked: { jwks: 0, users: 0, refused: 0 },
    behave: async () => null, // (path) => {status, body, headers} to answer instead, or null
  };

  const answerTo = (path, authorization) => {
    if (authorization !== `Bearer ${clerkSecretKey}`) {
      clerk.asked.refused += 1;
      return { status: 401, body: { errors: [{ code: 'clerk_key_invalid', message: 'invalid' }] } };
    }
    if (path === '/v1/jwks') {
      clerk.asked.jwks += 1;
      return { status: 200, body: { keys: clerk.keys.map((key) => key.jwk) } };
    }
    const [, id] = /^\/v1\/users\/(\w+)$/.exec(path) ?? [];
    if (!id) return { status: 404, body: notFound };
    clerk.asked.users += 1;
    const user = clerk.users.get(id);
    return user ? { status: 200, body: user } : { status: 404, body: notFound };
  };

  const server = http.createServer(async (request, response) => {
    const path = request.url.split('?')[0];
    const usual = answerTo(path, request.headers.authorization);
    const { status, body, headers = {} } = (await clerk.behave(path)) ?? usual;
    if (response.destroyed) return;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  clerk.url = `http://127.0.0.1:${server.address().port}`;
  clerk.settings = { CLERK_API_URL: clerk.url, CLERK_SECRET_KEY: clerkSecretKey };
  running.add(clerk);
  clerk.stop = () => {
    running.delete(clerk);
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return clerk;
}
