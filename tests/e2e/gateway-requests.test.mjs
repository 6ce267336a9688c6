// needs: database, kafka, strapi
// clerk-ingest receives requests as Traefik, Envoy and ingress-nginx send them, and its responses are treated as they do.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { app, identityOfPerson, setStage } from './gateway-promises.mjs';
import { connectTo, envoy, ingressNginx, traefik } from './gateway-requests.mjs';
import { identityNames, identityOf, shipped } from './gateways.mjs';
import { freePort, newSiteDatabase, newSigningKey, startIngest, startWorker } from './support.mjs';

const withoutList = shipped('traefik.yaml').replace(/^\s+authRequestHeaders:.*\n/m, '');
const gateways = { 'Traefik as shipped': traefik(), 'Traefik with all headers of the client': traefik(withoutList), Envoy: envoy(), 'ingress-nginx': ingressNginx() };
const noIdentity = Object.fromEntries(identityNames.map((name) => [name, []]));
const addresses = {}; // of a dialect
const connections = [];
let stage;

before(async () => {
  stage = await setStage({ dialect: 'traefik', database: await newSiteDatabase(), start: { ingest: startIngest, worker: startWorker } });
  addresses.traefik = new URL(stage.ingest.url).host;
  for (const dialect of ['envoy', 'nginx']) {
    addresses[dialect] = `127.0.0.1:${await freePort()}`;
    await stage.newIngest({ GATEWAY_DIALECT: dialect, INGEST_LISTEN: addresses[dialect] });
  }
});
after(() => connections.forEach((connection) => connection.end()));

// Sends a client's request and returns the result: `pairs` is what Strapi would get.
async function send(gateway, client, connection) {
  const own = connection ?? (await connectTo(addresses[gateway.dialect]));
  if (!connection) connections.push(own);
  const answer = await own.exchange(gateway.request(client));
  assert.equal(answer.left, 0, 'the response has a body beyond its framing');
  if (!gateway.allows(answer.status)) return { ...answer, pairs: null };
  assert.deepEqual([answer.status, answer.body], [200, '']);
  return { ...answer, pairs: gateway.upstream(client, answer).map(([name, value]) => [name.toLowerCase(), value]) };
}

const bearer = (token) => [['Authorization', `Bearer ${token}`]];
const header = (answer, name) => answer.headers.find(([one]) => one.toLowerCase() === name)?.[1];

for (const [name, gateway] of Object.entries(gateways)) {
  const ask = (method, target, headers = [], connection) => send(gateway, { method, target, headers }, connection);

  test(`${name}: the five routes respond as in the table [I5]`, async () => {
    const { owner, other, blocked, deleted } = stage.people;
    const forged = newSigningKey().sign({ sub: owner.clerkId, azp: app });
    for (const [method, target] of [['GET', '/api/users?a=1'], ['GET', '/api/users/me'], ['GET', `/api/users/${owner.id}`], ['PUT', `/api/users/${owner.id}`], ['DELETE', `/api/users/${owner.id}`]]) {
      for (const headers of [[], bearer('a.b.c'), bearer(forged)]) {
        const answer = await ask(method, target, headers);
        assert.deepEqual([answer.status, header(answer, 'www-authenticate')], [401, 'Bearer error="invalid_token"'], `${method} ${target}`);
      }
      assert.deepEqual(identityOf(await ask(method, target, bearer(owner.token))), identityOfPerson(owner), `${method} ${target}`);
      assert.equal((await ask(method, target, bearer(other.token))).status, target.endsWith(`/${owner.id}`) ? 403 : 200);
      assert.equal((await ask(method, target, bearer(blocked.token))).status, 403);
      assert.equal((await ask(method, target, bearer(deleted.token))).status, 403);
    }
  });

  test(`${name}: impersonation is rejected where it is closed [B14]`, async () => {
    const { owner } = stage.people;
    const acted = stage.sign({ sub: owner.clerkId, act: { sub: 'user_2support' } });
    assert.deepEqual(identityOf(await ask('GET', '/api/orders-old', bearer(acted))), identityOfPerson(owner));
    const refused = await ask('GET', '/api/Orders/7?a=b', bearer(acted));
    assert.deepEqual([refused.status, JSON.parse(refused.body).type], [403, 'urn:clerk-strapi-sync:impersonated']);
    assert.deepEqual(identityOf(await ask('GET', '/api/orders', bearer(owner.token))), identityOfPerson(owner));
    assert.deepEqual(identityOf(await ask('GET', '/api/orders')), noIdentity);
  });

  test(`${name}: cookie and origin reach clerk-ingest [B20]`, async () => {
    const { owner } = stage.people;
    const cookie = ['Cookie', `a=b; __session=${owner.token}`];
    assert.deepEqual(identityOf(await ask('GET', '/api/users/me', [cookie, ['Origin', app]])), identityOfPerson(owner));
    assert.equal((await ask('GET', '/api/users/me', [cookie, ['Origin', 'https://evil.example']])).status, 401);
  });

  test(`${name}: client-sent identity headers never arrive, with or without a token`, async () => {
    const { owner, other } = stage.people;
    const claims = identityNames.flatMap((one) => [one, one.toUpperCase(), one]).map((one) => [one, one.includes('lerk') ? other.clerkId : String(other.id)]);
    assert.deepEqual(identityOf(await ask('GET', '/api/articles', claims)), noIdentity);
    assert.deepEqual(identityOf(await ask('OPTIONS', '/api/users', claims)), noIdentity);
    assert.deepEqual(identityOf(await ask('GET', '/api/articles', [...claims, ...bearer('f'.repeat(256))])), noIdentity);
    assert.deepEqual(identityOf(await ask('GET', '/api/articles', [...claims, ...bearer(owner.token)])), identityOfPerson(owner));
    assert.equal((await ask('GET', '/api/users/me', claims)).status, 401);
  });

  test(`${name}: a client cannot choose the route or method that is verified`, async () => {
    const { owner, other } = stage.people;
    for (const one of [['X-Original-Method', 'OPTIONS'], ['X-Original-URI', '/api/articles'], ['X-Original-URL', 'http://a/api/articles'], ['X-Forwarded-Method', 'OPTIONS'], ['X-Forwarded-Uri', '/api/articles'], ['x-envoy-original-path', '/a']]) {
      assert.ok([401, 403].includes((await ask('GET', '/api/users', [one])).status), String(one));
      assert.equal((await ask('DELETE', `/api/users/${other.id}`, [one, ...bearer(owner.token)])).status, 403, String(one));
    }
  });

  test(`${name}: odd forms of a path are 403 [C4]`, async () => {
    const { owner, other } = stage.people;
    for (const tail of ['..%2f', '%2e%2e/', '../', ';a/', '%2537', '%5c', '%00']) {
      assert.equal((await ask('GET', `/api/users/${owner.id}/${tail}${other.id}`, bearer(owner.token))).status, 403, tail);
    }
    for (const target of [`//api//users/${other.id}`, `/API/users/${other.id}/`, `/api/users/${other.id}?id=${owner.id}`]) {
      assert.equal((await ask('GET', target, bearer(owner.token))).status, 403, target);
    }
  });

  test(`${name}: one connection serves every method in turn, responses never mix`, async () => {
    const { owner } = stage.people;
    const connection = await connectTo(addresses[gateway.dialect]);
    connections.push(connection);
    for (const method of ['HEAD', 'POST', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'GET']) {
      const refused = await ask(method, '/api/users/me', [], connection);
      assert.equal(refused.status, method === 'OPTIONS' ? 200 : 401, method);
      assert.equal((await ask(method, '/api/users/me', bearer(owner.token), connection)).status, 200, method);
    }
  });
}
