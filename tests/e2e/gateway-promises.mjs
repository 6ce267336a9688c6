// What every gateway before Strapi must do, as tests on a stage. Each gateway's own file makes the stage and states
// how it differs.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { ask, bearer, digest, identityNames, identityOf, makePeople, startUpstream, usersNamedBy, valuesOf } from './gateways.mjs';
import { randomFrom } from './history.mjs';
import { clerkId, command, freePort, newSigningKey, newTopics, readUser, waitFor } from './support.mjs';

export const app = 'https://app.example.com';
export const sessionId = 'sess_2gateways';
const issuer = 'https://clerk.example.com';
const noIdentity = Object.fromEntries(identityNames.map((name) => [name, []]));

export const identityOfPerson = ({ clerkId: id, id: row, role }) => Object.fromEntries([[id], [sessionId], [String(row)], [role]].map((value, i) => [identityNames[i], value]));

// All parts, and the gateway if there is one: its starter `open` gets the addresses. `start` makes ingest and worker: the test file
// names them, so that tests/run finds what it needs.
export async function setStage({ dialect, database, start, open }) {
  const key = newSigningKey();
  const topics = await newTopics();
  assert.equal((await command('clerk-worker', ['migrate'], { DATABASE_URL: database.url })).code, 0);
  const address = `127.0.0.1:${await freePort()}`;
  const newIngest = (more = {}) =>
    start.ingest({
      ...topics, INGEST_LISTEN: address, DATABASE_URL: database.url, GATEWAY_DIALECT: dialect, CLERK_JWT_KEY: key.pem,
      CLERK_ISSUER: issuer, CLERK_AUTHORIZED_PARTIES: app, VERIFY_WAIT_MS: '6000', GATEWAY_NO_IMPERSONATION: '/api/orders', ...more,
    });
  const [ingest, worker, upstream] = await Promise.all([newIngest(), start.worker({ ...topics, DATABASE_URL: database.url }), startUpstream()]);
  ingest.url = `http://${address}`;
  const sign = (claims) => key.sign({ sid: sessionId, azp: app, ...claims });
  const people = await makePeople({ ingest, sign, database });
  const gateway = await open?.({ ingest: address, upstream: upstream.address });
  return { ingest, newIngest, worker, upstream, sign, people, gateway, database };
}

// `stage()` is called inside the tests: it exists after before().
export function keepPromises(stage) {
  // What the client got, and what reached the stand-in for Strapi: nothing, or one request.
  async function send(method, target, headers = [], body) {
    const { gateway, upstream } = stage();
    const before = upstream.seen.length;
    const answer = await ask(gateway.origin, method, target, headers, body);
    const reached = upstream.seen.slice(before);
    assert.ok(reached.length <= 1, `${method} ${target} reached Strapi ${reached.length} times`);
    assert.equal(reached.length === 1, answer.headers['x-from'] === 'upstream', `${method} ${target}: ${answer.status}`);
    return { ...answer, reached: reached[0] };
  }
  const status = async (...request) => (await send(...request)).status;

  test('gateway: the five routes respond as in the table, Strapi gets only allowed requests [I5]', async () => {
    const { people, sign } = stage();
    const { owner, other, blocked, deleted } = people;
    const bad = [bearer('a.b.c'), bearer(newSigningKey().sign({ sub: owner.clerkId, azp: app })), bearer(sign({ sub: owner.clerkId, iat: 1, nbf: 1, exp: 60 }))];
    const routes = [['GET', '/api/users'], ['GET', '/api/users/me'], ['GET', `/api/users/${owner.id}`], ['PUT', `/api/users/${owner.id}`], ['DELETE', `/api/users/${owner.id}`]];
    for (const [method, target] of routes) {
      const what = `${method} ${target}`;
      for (const headers of [[], ...bad]) {
        const answer = await send(method, target, headers);
        assert.equal(answer.status, 401, `${what} with ${headers}`);
        assert.match(answer.headers['www-authenticate'], /^Bearer\b/, what);
      }
      const mine = await send(method, target, bearer(owner.token));
      assert.equal(mine.status, 200, what);
      assert.deepEqual([mine.reached.method, mine.reached.url], [method, target]);
      assert.deepEqual(identityOf(mine.reached), identityOfPerson(owner), what);
      assert.equal(await status(method, target, bearer(other.token)), target.endsWith(`/${owner.id}`) ? 403 : 200, `${what} of another`);
      assert.equal(await status(method, target, bearer(blocked.token)), 403, `${what} of a blocked user`);
      assert.equal(await status(method, target, bearer(deleted.token)), 403, `${what} of a deleted user [I3]`);
    }
  });

  test('gateway: on other routes a token is optional, a good one gives identity, a bad one is 401', async () => {
    const { owner } = stage().people;
    const open = await send('GET', '/api/articles?filters[a]=b%20c');
    assert.deepEqual([open.status, open.reached.url, identityOf(open.reached)], [200, '/api/articles?filters[a]=b%20c', noIdentity]);
    const known = await send('GET', '/api/articles', bearer(owner.token));
    assert.deepEqual(identityOf(known.reached), identityOfPerson(owner));
    assert.equal(await status('GET', '/api/articles', bearer('a.b.c')), 401);
    const ofStrapi = await send('GET', '/api/articles', bearer('f'.repeat(256)));
    assert.deepEqual([ofStrapi.status, identityOf(ofStrapi.reached)], [200, noIdentity]);
    assert.deepEqual(valuesOf(ofStrapi.reached, 'authorization'), [`Bearer ${'f'.repeat(256)}`]);
  });

  test('gateway: impersonation passes as the user, except where it is closed [B14]', async () => {
    const { people: { owner }, sign } = stage();
    const acted = bearer(sign({ sub: owner.clerkId, act: { sub: 'user_2support', iss: 'https://dashboard.clerk.com' } }));
    assert.deepEqual(identityOf((await send('GET', '/api/users/me', acted)).reached), identityOfPerson(owner));
    for (const target of ['/api/orders', '/api/orders/7?a=b', '/API/orders/', '/api/%6Frders']) assert.equal(await status('POST', target, acted), 403, target);
    assert.equal(await status('POST', '/api/orders', bearer(owner.token)), 200);
    assert.equal(await status('POST', '/api/orders'), 200);
    assert.equal(await status('POST', '/api/orders', bearer('a.b.c')), 401);
  });

  test('gateway: the session cookie counts as a token, except from a foreign origin [B20]', async () => {
    const { owner } = stage().people;
    const cookie = ['Cookie', `theme=dark; __session=${owner.token}`];
    for (const origin of [[], ['Origin', app]]) {
      const answer = await send('GET', '/api/users/me', [...cookie, ...origin]);
      assert.deepEqual(identityOf(answer.reached), identityOfPerson(owner));
    }
    assert.equal(await status('GET', '/api/users/me', [...cookie, 'Origin', 'https://evil.example']), 401);
  });

  test('gateway: a preflight passes without a token; HEAD is treated as GET', async () => {
    const preflight = await send('OPTIONS', '/api/users', ['Origin', app, 'Access-Control-Request-Method', 'PUT']);
    assert.deepEqual([preflight.status, preflight.reached.method], [200, 'OPTIONS']);
    assert.equal(await status('HEAD', '/api/users'), 401);
    assert.equal((await send('HEAD', '/api/users', bearer(stage().people.owner.token))).reached.method, 'HEAD');
  });

  test('gateway: client-sent identity headers never arrive, in any case, copy or spelling', async () => {
    const { owner, other } = stage().people;
    const spellings = identityNames.flatMap((name) => [name, name.toUpperCase(), name.replaceAll('-', '_'), name.replace('-', '_'), name.toUpperCase().replaceAll('-', '_')]);
    const forged = [...spellings, ...identityNames].flatMap((name) => [name, name.includes('lerk') ? other.clerkId : String(other.id)]);
    for (const [who, headers, expected] of [['without a token', [], noIdentity], ['the owner', bearer(owner.token), identityOfPerson(owner)]]) {
      for (const claimed of [forged, ...spellings.map((name) => [name, String(other.id)]), ...identityNames.map((name) => [name, '', name, String(other.id)])]) {
        const answer = await send('GET', '/api/articles', [...claimed, ...headers]);
        if (!answer.reached) assert.equal(answer.status, 400, `${who}: refused for other reasons than ${claimed}`);
        else assert.deepEqual(identityOf(answer.reached), expected, `${who} claims ${claimed}`);
      }
    }
    assert.equal(await status('GET', '/api/users/me', ['X-Clerk-User-Id', other.clerkId, 'X-Strapi-User-Id', String(other.id)]), 401);
  });

  test('gateway: a client cannot choose the route that is verified', async () => {
    const { owner, other } = stage().people;
    for (const [name, value] of [
      ['X-Original-Method', 'OPTIONS'], ['X-Original-URI', '/api/articles'], ['X-Original-URL', 'http://a/api/articles'], ['X-Forwarded-Method', 'OPTIONS'],
      ['X-Forwarded-Uri', '/api/articles'], ['X-Envoy-Original-Path', '/api/articles'], ['X-Envoy-Auth-Headers-To-Remove', 'authorization'], ['X-HTTP-Method-Override', 'OPTIONS'],
    ]) {
      for (const spelling of [name, name.toLowerCase(), name.replaceAll('-', '_')]) {
        assert.equal(await status('DELETE', `/api/users/${other.id}`, [spelling, value, ...bearer(owner.token)]), 403, spelling);
        assert.equal(await status('GET', '/api/users', [spelling, value]), 401, spelling);
      }
    }
  });

  test('gateway: the client address is what the gateway saw, not what the client sent', async () => {
    const lies = { 'X-Forwarded-For': '203.0.113.9', 'X-Real-IP': '203.0.113.9', Forwarded: 'for=203.0.113.9', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'gopher' };
    const { reached } = await send('GET', '/api/articles', Object.entries(lies).flat());
    for (const [name, value] of reached.pairs) assert.ok(!/203\.0\.113\.9|evil\.example|gopher/.test(value), `${name}: ${value}`);
  });

  test('gateway: two Authorization headers are never verified as one and served as the other', async () => {
    const { owner, other } = stage().people;
    for (const [first, second] of [[owner, other], [other, owner]]) {
      const { reached } = await send('GET', '/api/users/me', [...bearer(first.token), ...bearer(second.token)]);
      if (!reached) continue;
      assert.deepEqual(valuesOf(reached, 'authorization'), [`Bearer ${first.token}`]);
      assert.deepEqual(identityOf(reached), identityOfPerson(first));
    }
  });

  test("gateway: no spelling of a path reaches another user's row [C4]", async (t) => {
    const { owner, other } = stage().people;
    const seed = process.env.SEED || randomBytes(6).toString('hex');
    t.diagnostic(`seed ${seed}`);
    const random = randomFrom(seed);
    const pick = (list) => list[random.next(list.length)];
    const [me, you] = [String(owner.id), String(other.id)];
    const coded = [...you].map((digit) => `%3${digit}`).join('');
    const known = [
      you, coded, coded.replaceAll('%', '%25'), `0${you}`, `${you}/`, `${you}//`, `${you}?id=${me}`, `${you}%3f`, `${you}%23`, `${you};a=b`, `${you}%3ba`, `${you}%00`, `${me}/../${you}`,
      `${me}%2f..%2f${you}`, `${me}/%2e%2e/${you}`, `${me}/.%2e/${you}`, `${me}\\..\\${you}`, `${me}%5c..%5c${you}`, `${me}/..;/${you}`, `./${you}`, `me/../${you}`, `%2e/${you}`, `${you}/${me}`,
    ].map((tail) => `/api/users/${tail}`).concat([
      `//api/users/${you}`, `/api//users///${you}`, `/API/Users/${you}`, `/%61pi/users/${you}`, `/%2561pi/users/${you}`, `/api%2fusers%2f${you}`, `/api/users%2f${you}`, `/api/x/../users/${you}`,
      `/api/x/%2e%2e/users/${you}`, `/;/api/users/${you}`, `/api;x/users/${you}`, `/api/./users/${you}`, `/..//api/users/${you}`, `/api/articles/..%2fusers%2f${you}`, `/api/articles/..%252fusers%252f${you}`,
      `http://strapi.example/api/users/${you}`, `HTTP://strapi.example//api/users/${you}`, `/http://strapi.example/../../../api/users/${you}`,
    ]);
    const pieces = ['/', '//', 'api', 'API', 'users', 'Users', you, me, 'me', coded, '..', '.', '%2e', '%2E%2e', '%2f', '%252f', '%5c', '\\', ';', ';x=y', '%3b', '%00', '%20', '?', '%3F', '/api/users/', '/api/', '/users/', 'x'];
    const made = Array.from({ length: 300 }, () => `/${pick(['', 'api/', 'api/users/', '/api/users/'])}${Array.from({ length: 1 + random.next(6) }, () => pick(pieces)).join('')}`);
    let passed = 0;
    for (const target of [...known, ...made]) {
      const { reached, status: code } = await send(pick(['GET', 'PUT', 'DELETE']), target, bearer(owner.token));
      assert.ok(reached || [301, 307, 400, 401, 403, 404].includes(code), `${target}: ${code}`);
      if (!reached) continue;
      passed += 1;
      for (const id of usersNamedBy(reached.url)) assert.equal(id, owner.id, `${target} arrived as ${reached.url}`);
    }
    assert.ok(passed > 0, 'nothing passed: this proves nothing');
    assert.deepEqual([...usersNamedBy(`/api/x/..%252fusers;a/${you}`)], [other.id], 'the reader of paths must see tricks');
  });

  test('gateway: a large body arrives unchanged, and is read only after the token is verified', async () => {
    const body = randomBytes(6 << 20);
    const answer = await send('POST', '/api/upload', bearer(stage().people.owner.token), body);
    assert.deepEqual([answer.status, answer.reached.body], [200, digest(body)]);
    // Announced and never sent: a gateway that waits for it does not respond.
    const announced = ['Content-Length', '100000000'];
    assert.equal(await status('PUT', '/api/users/me', announced), 401);
  });

  test("gateway: Strapi's own 401, 403, 500 and 503 pass unchanged", async () => {
    for (const code of [401, 403, 404, 500, 503]) {
      const answer = await send('GET', `/api/articles?status=${code}`);
      assert.deepEqual([answer.status, answer.text], [code, `upstream says ${code}`]);
    }
  });

  test('gateway: slow provisioning passes, the gateway waits for the row', async () => {
    const { worker, sign, upstream, gateway, database } = stage();
    const fresh = clerkId();
    worker.signal('SIGSTOP');
    const begun = Date.now();
    const answer = ask(gateway.origin, 'GET', '/api/users/me', bearer(sign({ sub: fresh })));
    try {
      // Longer than Envoy's own 200 ms, and than Clerk's response and a busy worker together usually take.
      await waitFor(() => Date.now() - begun > 2_500, { what: 'a slow worker' });
    } finally {
      worker.signal('SIGCONT');
    }
    assert.equal((await answer).status, 200, (await answer).text);
    const { user } = await readUser(database, fresh);
    assert.deepEqual([valuesOf(upstream.seen.at(-1), 'x-strapi-user-id'), valuesOf(upstream.seen.at(-1), 'x-clerk-user-id')], [[String(user.id)], [fresh]]);
  });

  // The last tests: they stop ingest.

  const isTryAgain = (answer, what) => {
    assert.equal(answer.status, 503, what);
    assert.match(answer.headers['retry-after'], /^[1-9]\d?$/, what);
  };

  test('gateway: a hanging ingest gives 503 with Retry-After, then recovers [I6, I9]', async () => {
    const { ingest, people } = stage();
    const token = bearer(people.owner.token);
    ingest.signal('SIGSTOP');
    try {
      const begun = Date.now();
      const answers = await Promise.all([['GET', '/api/users/me', token], ['GET', '/api/articles', []]].map(([method, target, headers]) => ask(stage().gateway.origin, method, target, headers)));
      answers.forEach((answer) => isTryAgain(answer, answer.text));
      const took = Date.now() - begun;
      assert.ok(took >= 6_000, `provisioning may take 4 s and more; the gateway timed out after ${took} ms`);
      assert.ok(took < 20_000, `${took} ms`);
    } finally {
      ingest.signal('SIGCONT');
    }
    await waitFor(async () => (await status('GET', '/api/users/me', token)) === 200, { what: 'a pass again' });
  });

  test('gateway: an unreachable ingest gives 503 with Retry-After on every route, recovers [I9]', async () => {
    const { ingest, newIngest, people, upstream } = stage();
    await ingest.kill();
    const reached = upstream.seen.length;
    for (const [method, target, headers] of [['GET', '/api/users'], ['GET', '/api/articles'], ['OPTIONS', '/api/users'], ['POST', '/api/upload', bearer(people.owner.token)]]) {
      isTryAgain(await ask(stage().gateway.origin, method, target, headers), `${method} ${target}`);
    }
    assert.equal(upstream.seen.length, reached, 'nothing reached Strapi unjudged');
    stage().ingest = await newIngest();
    await waitFor(async () => (await status('GET', '/api/users/me', bearer(people.owner.token))) === 200, { what: 'a pass again' });
  });
}
