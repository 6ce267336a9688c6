// Envoy with the shipped configuration in front of Strapi's place, judged by the real clerk-ingest. Slow only because
// Envoy is fetched, once.

import { before, test } from 'node:test';
import { keepPromises, setStage } from '../gateway-promises.mjs';
import { programOf, startEnvoy } from '../gateways.mjs';
import { newSiteDatabase, startIngest, startWorker } from '../support.mjs';

const { program, missing } = await programOf('envoy');

if (missing) {
  test('Envoy in front of Strapi', { skip: missing }, () => {});
} else {
  let stage;
  before(async () => {
    stage = await setStage({ dialect: 'envoy', database: await newSiteDatabase(), start: { ingest: startIngest, worker: startWorker }, open: (addresses) => startEnvoy(program, addresses) });
  });

  keepPromises(() => stage);
}
