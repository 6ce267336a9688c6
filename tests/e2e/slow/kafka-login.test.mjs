// Each mechanism at the oldest and the newest Kafka; and brokers that ask every client to log in again (KIP-368).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isAccepted, mechanisms, newLoginSite, programsLogIn, send, startLoginKafka, wrongPassword } from '../login-stage.mjs';
import { refusalIsExplained } from '../login-refusals.mjs';
import { clerkUser, waitFor } from '../support.mjs';

const reauthentication = 'connections.max.reauth.ms=3000\n';
const loadMs = 20_000; // six sessions of a connection
const atOnce = 4;

// Senders that never pause. What was answered with 2xx must have its row; every answer must be 2xx.
async function loadOverSeveralSessions(site) {
  const [ingest, worker] = await Promise.all([site.ingest(), site.worker()]);
  const until = Date.now() + loadMs;
  const sent = [];
  const refused = [];
  const sender = async () => {
    while (Date.now() < until) {
      const user = clerkUser();
      const { status } = await send(ingest, user);
      (status === 200 ? sent : refused).push(status === 200 ? user.id : status);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sender));
  await waitFor(async () => (await site.rowsOf(sent)).length === sent.length, { what: `the rows of ${sent.length} webhooks`, deadlineMs: 120_000, everyMs: 500 });
  assert.deepEqual(refused, [], `${ingest.tail()}`);
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  await Promise.all([ingest.stop(), worker.stop()]);
  return sent.length;
}

for (const version of ['3.9.1', '4.3.1']) {
  describe(`Kafka ${version}`, { concurrency: true }, () => {
    let kafka;
    before(async () => {
      kafka = await startLoginKafka(version);
    });
    after(() => kafka?.remove());

    for (const mechanism of mechanisms) {
      test(`kafka login: ${mechanism} at Kafka ${version} works, or the old library is named [I1]`, async () => {
        if (await isAccepted(kafka, mechanism)) return programsLogIn(kafka, mechanism);
        return refusalIsExplained(kafka, mechanism, [new RegExp(`invalid credentials with SASL mechanism ${mechanism}`), /before 2\.6\.1/, /Debian 13/]);
      });

      test(`kafka login: a wrong password for ${mechanism} at Kafka ${version} shows the broker's reason [I6]`, () => {
        const reason = mechanism === 'PLAIN' ? /Invalid username or password/ : new RegExp(`invalid credentials with SASL mechanism ${mechanism}`);
        return refusalIsExplained(kafka, mechanism, [reason, /check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/], { KAFKA_SASL_PASSWORD: wrongPassword });
      });
    }
  });

  describe(`Kafka ${version} with sessions of 3 s`, { concurrency: true }, () => {
    let kafka;
    before(async () => {
      kafka = await startLoginKafka(version, { settings: reauthentication });
    });
    after(() => kafka?.remove());

    for (const mechanism of mechanisms) {
      test(`kafka login: load goes on over several sessions by ${mechanism} at Kafka ${version} [I1]`, async (t) => {
        if (!(await isAccepted(kafka, mechanism))) return; // the matrix above has what happens then
        const site = await newLoginSite(kafka, mechanism);
        t.diagnostic(`${await loadOverSeveralSessions(site)} webhooks`);
      });
    }
  });
}
