// needs: database, kafka, strapi
// nginx with the shipped configuration before a stand-in for Strapi; the real clerk-ingest verifies.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { keepPromises, setStage } from './gateway-promises.mjs';
import { programOf, startNginx } from './gateways.mjs';
import { newSiteDatabase, startIngest, startWorker } from './support.mjs';

const { program, missing } = await programOf('nginx');

if (missing) {
  test('nginx before Strapi', { skip: missing }, () => {});
} else {
  let stage;
  before(async () => {
    stage = await setStage({ dialect: 'nginx', database: await newSiteDatabase(), start: { ingest: startIngest, worker: startWorker }, open: (addresses) => startNginx(program, addresses) });
  });

  keepPromises(() => stage);

  test('nginx: logs no error but an unreachable or slow clerk-ingest', () => {
    const complaints = stage.gateway.log().split('\n').filter((line) => /\[(emerg|alert|crit|error|warn)\]/.test(line));
    for (const line of complaints) assert.match(line, /auth request unexpected status|clerk_auth|upstream|Connection refused|timed out/, line);
  });
}
