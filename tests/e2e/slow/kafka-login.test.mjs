// needs: database, jars 3.9.1 4.3.1
// Each mechanism at the oldest and the newest Kafka; and brokers that require every client to log in again (KIP-368).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isAccepted, logsInAgain, mechanisms, newLoginSite, programsLogIn, send, startLoginKafka, wrongPassword } from '../login-stage.mjs';
import { linesOf } from '../log-lines.mjs';
import { refusalIsExplained } from '../login-refusals.mjs';
import { clerkUser, waitFor } from '../support.mjs';

const reauthentication = 'connections.max.reauth.ms=8000\n'; // a client logs in again after nine tenths of it
const loadMs = 40_000; // five sessions of a connection
const atOnce = 4;

// Senders that never pause, and send again what is not acknowledged, as Svix does. Every webhook becomes a row.
async function loadOverSeveralSessions(site) {
  const [ingest, worker] = await Promise.all([site.ingest(), site.worker()]);
  const until = Date.now() + loadMs;
  const stored = [];
  let sentAgain = 0;
  const sender = async () => {
    while (Date.now() < until) {
      const user = clerkUser();
      await waitFor(async () => {
        const { status } = await send(ingest, user);
        if (status !== 200) sentAgain += 1;
        return status === 200;
      }, { what: 'a webhook stored', deadlineMs: 60_000 });
      stored.push(user.id);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sender));
  await waitFor(async () => (await site.rowsOf(stored)).length === stored.length, { what: `the rows of ${stored.length} webhooks`, deadlineMs: 120_000, everyMs: 500 });
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  await Promise.all([ingest.stop(), worker.stop()]);
  const losses = linesOf(ingest).filter(({ error }) => error === '_ALL_BROKERS_DOWN').length;
  return { stored: stored.length, sentAgain, losses };
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

      test(`kafka login: a wrong ${mechanism} password at Kafka ${version} shows the reason [I6]`, () => {
        const reason = mechanism === 'PLAIN' ? /Invalid username or password/ : new RegExp(`invalid credentials with SASL mechanism ${mechanism}`);
        return refusalIsExplained(kafka, mechanism, [reason, /check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/], { KAFKA_SASL_PASSWORD: wrongPassword });
      });
    }
  });

  describe(`Kafka ${version} with sessions of 8 s`, { concurrency: true }, () => {
    let kafka;
    before(async () => {
      kafka = await startLoginKafka(version, { settings: reauthentication });
    });
    after(() => kafka?.remove());

    for (const mechanism of mechanisms) {
      test(`kafka login: load continues over several sessions by ${mechanism} at Kafka ${version} [I1]`, async (t) => {
        if (!(await isAccepted(kafka, mechanism))) return; // the matrix above has that case
        const site = await newLoginSite(kafka, mechanism);
        const { stored, sentAgain, losses } = await loadOverSeveralSessions(site);
        t.diagnostic(`${stored} webhooks, ${sentAgain} sent again, ${losses} log lines about lost connections`);
        // One line per ten seconds at most. A busy machine may miss the end of one session.
        if (await logsInAgain()) assert.ok(losses <= 1, 'the connection outlives its sessions');
        else assert.ok(losses > 1, 'the broker ends the connection with its session');
      });
    }
  });
}
