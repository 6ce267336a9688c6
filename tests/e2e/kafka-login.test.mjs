// needs: database, jars 4.3.1
// Logins at the newest Kafka: both programs work with each mechanism, or name the cause. slow/kafka-login has the older
// Kafka too.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkPasses, isAccepted, librariesOf, newLoginSite, programsLogIn, scramIsBroken, startLoginKafka, wrongPassword } from './login-stage.mjs';
import { refusalIsExplained } from './login-refusals.mjs';
import { command, freePort, webhookSecret } from './support.mjs';

let kafka;
before(async () => {
  kafka = await startLoginKafka('4.3.1');
});
after(() => kafka?.remove());

const oldLibrary = [/invalid credentials with SASL mechanism SCRAM-SHA-256/, /before 2\.6\.1/, /Debian 13/];

// Concurrently: most of the time is waiting for brokers that reject.
describe('Kafka 4.3.1', { concurrency: true }, () => {
  test('programs: --version prints the libraries that they run with', async () => {
    for (const program of ['clerk-ingest', 'clerk-worker']) {
      const { stdout } = await command(program, ['--version']);
      assert.match(stdout, new RegExp(`^${program} \\d+\\.\\d+\\.\\d+ \\([0-9a-f]+(-dirty)?\\)\n`));
      const libraries = await librariesOf(program);
      assert.deepEqual(Object.keys(libraries), ['librdkafka', 'libpq', 'libpqxx', 'OpenSSL', 'Boost']);
      for (const [name, version] of Object.entries(libraries)) assert.match(version, /^\d+\.\d+/, name);
    }
  });

  test('kafka login: with PLAIN a webhook becomes a row [I1]', () => programsLogIn(kafka, 'PLAIN'));

  test('kafka login: SCRAM-SHA-256 works on Kafka 4, or the old library is named [I1]', async () => {
    if (await isAccepted(kafka, 'SCRAM-SHA-256')) return programsLogIn(kafka, 'SCRAM-SHA-256');
    return refusalIsExplained(kafka, 'SCRAM-SHA-256', oldLibrary);
  });

  test('kafka login: a wrong password shows the reason of the broker, and no secret [I6]', () =>
    refusalIsExplained(kafka, 'PLAIN', [/Authentication failed: Invalid username or password/, /check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/], { KAFKA_SASL_PASSWORD: wrongPassword }));

  test('check: warns before a SCRAM login that the library breaks, and only then', async () => {
    const site = await newLoginSite(kafka, 'SCRAM-SHA-512');
    const warning = /warn(ing:)? +librdkafka \d+\.\d+\.\d+: before 2\.6\.1/;
    const broken = await scramIsBroken();
    await Promise.all(['clerk-ingest', 'clerk-worker'].map(async (program) => {
      const scram = await site.command(program, ['check']);
      assert.equal(warning.test(scram.stdout), broken, scram.stdout);
      assert.doesNotMatch(await checkPasses(site, program, { KAFKA_SASL_MECHANISM: 'PLAIN' }), /librdkafka/);
    }));
  });

  test('check: a warning alone leaves the exit code', async () => {
    const site = await newLoginSite(kafka, 'PLAIN');
    const plain = { KAFKA_BROKERS: kafka.plain, KAFKA_SECURITY_PROTOCOL: 'PLAINTEXT', KAFKA_SASL_MECHANISM: '', KAFKA_SASL_USERNAME: '', KAFKA_SASL_PASSWORD: '' };
    assert.match(await checkPasses(site, 'clerk-ingest', { ...plain, CLERK_INSTANCE_IDS: '' }), /warning/);
  });

  test('check: shows why no broker is reached: connection, name or TLS', async () => {
    const reasons = [
      [{ KAFKA_BROKERS: `127.0.0.1:${await freePort()}` }, /Connection refused/],
      [{ KAFKA_BROKERS: 'no-such-broker.invalid:9092' }, /Failed to resolve 'no-such-broker\.invalid:9092'/],
      [{ KAFKA_BROKERS: kafka.plain, KAFKA_SECURITY_PROTOCOL: 'SSL' }, /SSL handshake failed/],
    ];
    await Promise.all(reasons.map(async ([environment, reason]) => {
      const { code, stdout } = await command('clerk-ingest', ['check'], { CLERK_WEBHOOK_SIGNING_SECRET: webhookSecret, ...environment });
      assert.equal(code, 1);
      assert.match(stdout, reason);
    }));
  });
});
