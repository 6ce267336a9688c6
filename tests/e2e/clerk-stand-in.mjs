// Clerk's Backend API as far as the programs use it, with verbs for failures: a key set, users, delays,
// errors, another instance. Counts its requests.

import http from 'node:http';
import { after } from 'node:test';
import { instanceId } from './clerk.mjs';

const notFound = { errors: [{ code: 'resource_not_found', message: 'not found', long_message: 'No user was found with this id.' }] };

// Registered for the whole file: an after() that is registered while a hook runs would end with the hook.
const running = new Set();
after(() => Promise.all([...running].map((clerk) => clerk.stop())));

export const clerkSecretKey = 'sk_test_endtoendtests0123456789';

// Users by id; every change makes the sorted lists stale.
class Users extends Map {
  sorted = {};
  set(id, user) {
    this.sorted = {};
    return super.set(id, user);
  }
  delete(id) {
    this.sorted = {};
    return super.delete(id);
  }
  by(field) {
    this.sorted[field] ??= [...this.values()].sort((a, b) => a[field] - b[field] || (a.id < b.id ? -1 : 1));
    return this.sorted[field];
  }
}

const failure = (status, code) => ({ status, body: { errors: [{ code, message: code, long_message: code }] } });

export async function startClerk({ keys = [], users = [], instance = instanceId } = {}) {
  const clerk = {
    keys: [...keys],
    instance,
    secretKey: clerkSecretKey,
    users: new Users(),
    asked: { jwks: 0, users: 0, pages: [], refused: 0 },
    behave: async () => null, // (path, query) => {status, body, headers} to respond with instead, or null
    text: (user) => JSON.stringify(user), // how a user is serialised
  };
  for (const user of users) clerk.users.set(user.id, user);

  // GET /v1/users: limit, order_by, offset, and starting_after in the order of creation only.
  const listOf = (query) => {
    clerk.asked.pages.push(Object.fromEntries(query));
    const [, sign, field] = /^([+-]?)(created_at|updated_at)$/.exec(query.get('order_by') ?? '-created_at') ?? [];
    const limit = Number(query.get('limit') ?? 10);
    if (!field || !(limit >= 1 && limit <= 500)) return failure(422, 'form_param_invalid');
    const ascending = clerk.users.by(field);
    let at = Number(query.get('offset') ?? 0);
    const after = query.get('starting_after');
    if (after) {
      const place = clerk.users.get(after);
      if (field !== 'created_at' || sign === '-' || !place) return failure(422, 'form_param_invalid');
      at = ascending.indexOf(place) + 1;
    }
    const page = sign === '-' ? ascending.slice(Math.max(0, ascending.length - at - limit), Math.max(0, ascending.length - at)).reverse() : ascending.slice(at, at + limit);
    return { status: 200, body: `[${page.map(clerk.text).join(',')}]` };
  };

  const answerTo = (path, query, authorization) => {
    if (authorization !== `Bearer ${clerk.secretKey}`) {
      clerk.asked.refused += 1;
      return failure(401, 'clerk_key_invalid');
    }
    if (path === '/v1/jwks') {
      clerk.asked.jwks += 1;
      return { status: 200, body: { keys: clerk.keys.map((key) => key.jwk) } };
    }
    if (path === '/v1/instance') return { status: 200, body: { object: 'instance', id: clerk.instance, environment_type: 'development', allowed_origins: null } };
    if (path === '/v1/users/count') return { status: 200, body: { object: 'total_count', total_count: clerk.users.size } };
    if (path === '/v1/users') return listOf(query);
    const [, id] = /^\/v1\/users\/(\w+)$/.exec(path) ?? [];
    if (!id) return { status: 404, body: notFound };
    clerk.asked.users += 1;
    const user = clerk.users.get(id);
    return user ? { status: 200, body: clerk.text(user) } : { status: 404, body: notFound };
  };

  const server = http.createServer(async (request, response) => {
    const { pathname: path, searchParams: query } = new URL(request.url, clerk.url);
    const instead = await clerk.behave(path, query);
    const { status, body, headers = {} } = instead ?? answerTo(path, query, request.headers.authorization);
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
