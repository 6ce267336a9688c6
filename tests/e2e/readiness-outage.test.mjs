// needs: database, kafka
// /readyz while the brokers are unreachable (rules R1 to R3 of ingest/publish/kafka_readiness.hpp). New programs reach the shared
// brokers through a gate, which is one address among others: when it is shut, programs that start see an outage. Nothing here waits
// for a fixed time except for the 20 s of R2, which are a guarantee.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Gate } from '../faults/gate.mjs';
import { deliver, isReady, lineOf, linesAbout, migratedTables, missingTopics, signIn, untilReady } from './readiness-stage.mjs';
import { freePort, newTopics, startIngest, startProcess, waitFor } from './support.mjs';

const contactWaitMs = 20_000; // R2
let topics;

before(async () => {
  topics = await newTopics({ partitions: 1 });
});

async function gateTo(port) {
  const gate = await Gate.open(Number(port));
  after(() => gate.close());
  return gate;
}
const gateToBrokers = () => gateTo(process.env.TEST_KAFKA_BROKERS.split(',')[0].split(':')[1]);

// Written directly, for an address that no broker ever had: the fingerprint of common/kafka/contact_fingerprint.cpp.
function recordContact(where, settings) {
  const text = [settings.KAFKA_BROKERS, 'plaintext', settings.TOPIC_USER_EVENTS, settings.TOPIC_PROVISIONING, settings.TOPIC_DEAD_LETTERS].join('\n');
  return where.rows('insert into clerk_sync.kafka_contact (fingerprint) values ($1)', [createHash('sha256').update(text).digest()]);
}

// A listener that accepts nothing and whose backlog is full: the kernel drops what comes, as a firewall does.
const droppingListener = `import socket, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
full = []
for _ in range(4):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(listener.getsockname())
    full.append(one)
print(listener.getsockname()[1], flush=True)
time.sleep(600)`;

async function addressThatDropsPackets() {
  const listener = startProcess('dropping-listener', 'python3', ['-c', droppingListener]);
  const port = await waitFor(() => Number(listener.log().trim()), { what: 'the port of the dropping listener' });
  const connected = await new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true));
    socket.setTimeout(500, () => { socket.destroy(); resolve(false); }).once('error', () => resolve(false));
  });
  assert.equal(connected, false, 'it drops what comes');
  return `127.0.0.1:${port}`;
}

async function addressThatPassesNothingOn() {
  const gate = await gateTo(1);
  gate.freeze();
  return `127.0.0.1:${gate.port}`;
}

const badAddresses = async () => ({
  'a name that is not known': 'kafka.invalid:9092',
  'a port where nothing listens': `127.0.0.1:${await freePort()}`,
  'an address that drops packets': await addressThatDropsPackets(),
  'a proxy that passes nothing on': await addressThatPassesNothingOn(),
});

// Reads repeatedly until well past R2's 20 s, and returns each observed fault: `look` returns it.
async function watchPastContactWait(begin, look) {
  const seen = new Set();
  await waitFor(async () => {
    for (const violation of await look()) seen.add(violation);
    return Date.now() - begin > contactWaitMs + 8_000;
  }, { what: 'the end of the watch', deadlineMs: contactWaitMs + 40_000, everyMs: 200 });
  return [...seen];
}
const readyOnes = async (programs) => {
  const names = await Promise.all(Object.entries(programs).map(async ([name, one]) => (await isReady(one)) && name));
  return names.filter(Boolean);
};

describe('readiness during an outage', { concurrency: true }, () => {
  test('readiness: a rollout with a wrong broker address is never ready, the old one serves (R3)', async () => {
    const database = await migratedTables();
    const site = { ...topics, ...signIn(database.url) };
    const old = await startIngest(site);
    await waitFor(async () => (await database.rows('select 1 from clerk_sync.kafka_contact')).length === 1, { what: 'the old ingest has recorded its own way to Kafka' });
    const begin = Date.now();
    const fresh = {};
    for (const [name, brokers] of Object.entries(await badAddresses())) fresh[name] = await startIngest({ ...site, KAFKA_BROKERS: brokers }, { wait: 'alive' });
    const seen = await watchPastContactWait(begin, async () => {
      const status = await deliver(old);
      return [...(status === 200 ? [] : [`the old ingest returned ${status}`]), ...(await readyOnes(fresh))];
    });
    assert.deepEqual(seen, []);
    for (const [name, one] of Object.entries(fresh))
      assert.match(await lineOf(one), /no broker of KAFKA_BROKERS has answered since the start: `clerk-ingest check`/, name);
  });

  test('readiness: a restart in an outage is ready after 20 s by its contact record (R2, R3)', async (t) => {
    const [fresh, gate] = await Promise.all([migratedTables(), gateToBrokers()]);
    const brokers = `127.0.0.1:${gate.port}`;
    const settings = { ...topics, KAFKA_BROKERS: brokers, ...signIn(fresh.url), PUBLISH_TIMEOUT_MS: '500' };
    await startIngest(settings);
    await waitFor(async () => (await fresh.rows('select 1 from clerk_sync.kafka_contact')).length === 1, { what: 'the record' });
    gate.refuse();

    const begin = Date.now();
    const start = (change) => startIngest({ ...settings, ...change }, { wait: 'alive' });
    const restarted = await start({});
    const others = {
      'another spelling of the brokers': await start({ KAFKA_BROKERS: brokers.replace('127.0.0.1', 'localhost') }),
      'other topics': await start(missingTopics()),
      'another security protocol': await start({ KAFKA_SECURITY_PROTOCOL: 'SSL' }),
      'no sign-in': await start({ CLERK_JWT_KEY: '' }),
      'a database without the record': await start({ DATABASE_URL: (await migratedTables()).url }),
    };
    let tookMs = 0;
    const seen = await watchPastContactWait(begin, async () => {
      if (!tookMs && (await isReady(restarted))) tookMs = Date.now() - begin;
      return readyOnes(others);
    });
    assert.deepEqual(seen, []);
    await untilReady(restarted);
    t.diagnostic(`ready by the record after ${tookMs || 'more than 28000'} ms`);
    assert.ok(tookMs === 0 || tookMs >= contactWaitMs - 500, `ready after ${tookMs} ms`);
    assert.equal(linesAbout(restarted, 'KAFKA_BROKERS worked before').length, 1);
    assert.equal(await deliver(restarted), 503);
    gate.restore();
    await waitFor(async () => (await deliver(restarted)) === 200, { what: 'a webhook is accepted', deadlineMs: 30_000 });
    assert.equal(await isReady(restarted), true);
  });

  test('readiness: an unknown name is an outage as well: ready after 20 s by the record (R2)', async () => {
    const fresh = await migratedTables();
    const settings = { ...topics, KAFKA_BROKERS: 'kafka.invalid:9092', ...signIn(fresh.url) };
    await recordContact(fresh, settings);
    const ingest = await startIngest(settings, { wait: 'alive' });
    await untilReady(ingest, contactWaitMs + 20_000);
  });

  test('readiness: not ready while the database is unreachable too, ready when it responds (R2)', async () => {
    const fresh = await migratedTables();
    const gate = await gateTo(new URL(fresh.url).port);
    const behind = new URL(fresh.url);
    behind.port = gate.port;
    const settings = { ...topics, KAFKA_BROKERS: `127.0.0.1:${await freePort()}`, ...signIn(behind.href) };
    await recordContact(fresh, settings);
    gate.refuse();
    const begin = Date.now();
    const ingest = await startIngest(settings, { wait: 'alive' });
    assert.deepEqual(await watchPastContactWait(begin, () => readyOnes({ ingest })), []);
    gate.restore();
    await untilReady(ingest, 30_000);
  });
});
