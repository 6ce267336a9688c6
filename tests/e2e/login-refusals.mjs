// What an operator sees of a rejected login, everywhere: the log, /readyz, both checks and the commands. And what a
// rejected login must not cause: a 2xx to a webhook, a dead letter, a secret in the output.

import assert from 'node:assert/strict';
import { linesOf, assertWithout } from './log-lines.mjs';
import { newLoginSite, send, userName, wrongPassword } from './login-stage.mjs';
import { clerkUser, readiness, waitFor } from './support.mjs';

const checkOf = async (program, name) => (await readiness(program)).failing.find(({ check }) => check === name)?.detail ?? '';

const reportedBy = (program) => linesOf(program).filter(({ msg }) => msg === 'librdkafka reported an error').map(({ error, detail, advice = '' }) => ({ error, text: `${detail}; ${advice}` }));

// The reason reaches /readyz and the log of a running program.
async function showsTheReason(program, check, expected) {
  for (const part of expected) await waitFor(async () => part.test(await checkOf(program, check)), { what: `${program.name}: ${part} in /readyz`, deadlineMs: 30_000 });
  const lines = reportedBy(program).filter(({ error }) => error === '_AUTHENTICATION');
  assert.ok(lines.length > 0, program.tail());
  for (const part of expected) assert.match(lines[0].text, part);
  assertWithout(program.log(), [userName, wrongPassword], program.name);
}

// Both programs run with a login that the brokers reject; `expected` are the parts of the reason.
export async function refusalIsExplained(kafka, mechanism, expected, more = {}) {
  const site = await newLoginSite(kafka, mechanism);
  Object.assign(site.environment, more);
  await commandsExplain(site, expected);
  const [ingest, worker] = await Promise.all([site.ingest({ wait: false }), site.worker({ wait: false })]);
  await showsTheReason(ingest, 'kafka', expected);
  await showsTheReason(worker, 'kafka', expected);
  const answer = await send(ingest, clerkUser());
  assert.equal(answer.status, 503, 'a webhook that is not stored is not acknowledged');
  assert.equal((await worker.metrics()).value('clerk_worker_dead_letters_total'), 0);
  await Promise.all([ingest.stop(), worker.stop()]);
}

async function commandsExplain(site, expected) {
  const commands = [
    ['clerk-ingest', 'check'], ['clerk-worker', 'check'], ['clerk-worker', 'topics', '--check'], ['clerk-worker', 'status'],
    ['clerk-worker', 'dlq', 'list'], ['clerk-worker', 'replay', '--from', 'beginning', '--dry-run'],
  ];
  const done = await Promise.all(commands.map(([program, ...words]) => site.command(program, words)));
  done.forEach(({ code, stdout, stderr }, place) => {
    const name = commands[place].join(' ');
    assert.equal(code, 1, `${name}: ${stdout}${stderr}`);
    for (const part of expected) assert.match(stdout + stderr, part, name);
    assert.doesNotMatch(stdout + stderr, /Broker transport failure/, name);
    assertWithout(stdout + stderr, [userName, wrongPassword], name);
  });
}
