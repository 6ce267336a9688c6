// needs: database
// The shipped configurations are the ones that other tests run, and they agree with each other.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fillIn, gatewaysFolder, identityNames, shipped } from './gateways.mjs';
import { repository } from './support.mjs';

const read = (file) => readFileSync(path.join(repository, file), 'utf8');
const files = { 'nginx.conf': 'gateways.mjs', 'envoy.yaml': 'gateways.mjs', 'traefik.yaml': 'gateway-requests.mjs' };
const blocks = [...shipped('README.md').matchAll(/^## (.+)\n[^#]*?```yaml\n([\s\S]*?)```/gm)].map(([, name, text]) => [name, text]);
const samples = [...Object.keys(files).map((name) => [name, shipped(name)]), ...blocks];

test('gateway files: a test runs every file of deploy/gateways, and none has a copy', () => {
  assert.deepEqual(readdirSync(gatewaysFolder).sort(), ['README.md', ...Object.keys(files)].sort());
  for (const [name, reader] of Object.entries(files)) assert.ok(read(`tests/e2e/${reader}`).includes(`shipped('${name}')`), `${name} is read by ${reader}`);
});

test('gateway files: a sample without a known address fails the test', () => {
  assert.equal(fillIn('listen 80;', [['80', '81']]), 'listen 81;');
  assert.throws(() => fillIn('listen 80; listen 80;', [['80', '81']]), /exactly once/);
  assert.throws(() => fillIn('listen 8080;', [['listen 80;', 'listen 81;']]), /exactly once/);
  assert.throws(() => fillIn('listen 80;', [['listen 80;', 'listen 81; auth_request off;']]), /only addresses/);
});

test('gateway files: every sample names all four identity headers', () => {
  assert.deepEqual(blocks.map(([name]) => name), ['ingress-nginx', 'Istio', 'Envoy Gateway']);
  for (const [sample, text] of samples) {
    for (const name of identityNames) assert.ok(text.toLowerCase().includes(name), `${sample} does not name ${name}`);
  }
});

test('gateway files: every sample passes cookie and origin to clerk-ingest [B20]', () => {
  const asksWithAll = ['ingress-nginx']; // auth-url sends all headers
  for (const [sample, text] of samples.filter(([name]) => !asksWithAll.includes(name))) {
    for (const name of ['authorization', 'cookie', 'origin', 'traceparent']) assert.match(text, new RegExp(`\\b${name}\\b`, 'i'), `${sample}: ${name}`);
  }
});

test('gateway files: every sample waits for provisioning, and passes no unverified request', () => {
  const firstSightMs = 2_000 + 2_000; // Clerk's response and VERIFY_WAIT_MS
  const seconds = { 'nginx.conf': /\/v1\/auth\/gateway[\s\S]*?proxy_read_timeout (\d+)s/, 'envoy.yaml': /cluster: clerk_ingest, timeout: (\d+)s/, Istio: /timeout: (\d+)s/, 'Envoy Gateway': /timeout: (\d+)s/ };
  for (const [sample, text] of samples) {
    if (seconds[sample]) assert.ok(Number(seconds[sample].exec(text)[1]) * 1000 >= firstSightMs + 2_000, sample);
    assert.doesNotMatch(text, /fail_?(ure_mode_)?(open|allow): true|trustForwardHeader: true/i, sample);
  }
  assert.match(shipped('traefik.yaml'), /trustForwardHeader: false/);
  assert.match(shipped('envoy.yaml'), /failure_mode_allow: false\n\s+status_on_error: \{ code: ServiceUnavailable \}/);
});
