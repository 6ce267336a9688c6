// Good traffic beside a crowd: several clients send a webhook or a token again and again; their responses and
// response times, beside those of the same clients without the crowd; and the program's resources meanwhile and afterwards.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { buildFolder, clerkUser, uniqueName, userCreated, waitFor, webhookSecret } from '../e2e/support.mjs';
import { ask, footprint, requestText, webhookText } from './crowd.mjs';

const run = promisify(execFile);

// The bounds of ingest/README.md (Threads and bounds).
export const connectionsMax = 2048;
const connectionKiB = 56; // 32 for a header, 16 for a kept body, its response, its state
export const connectionsMiB = (connectionsMax * connectionKiB) / 1024;
export const bodiesMiB = 24;
export const queuesMiB = 16 + 4;

// The two requests of good traffic to that program; `known` is a user whose row exists.
export function questionsTo(program, { key, known }) {
  const port = Number(new URL(program.url).port);
  const bearer = (id) => ({ Authorization: `Bearer ${key.sign({ sub: id })}` });
  const deliver = () => ask(port, webhookText(webhookSecret, uniqueName('msg'), userCreated(clerkUser())));
  const verify = () => ask(port, requestText('GET', '/v1/auth/verify', bearer(known.id)));
  // The same for good-clients.mjs. No two tokens are alike, and they outlive the test.
  deliver.forGoodClients = () => ({ port, secret: webhookSecret, label: uniqueName('msg_new') });
  verify.forGoodClients = () => ({ port, tokens: Array.from({ length: 200 }, (_, n) => key.sign({ sub: known.id, jti: `${n}`, exp: Math.floor(Date.now() / 1000) + 300 })) });
  return { port, bearer, deliver, verify };
}

export const clients = 8;
const turnMs = 25; // each client sends at most once per turn: the crowd needs the processors too

const startClients = (question, count = Infinity) =>
  new Worker(new URL('./good-clients.mjs', import.meta.url), { workerData: { ...question.forGoodClients(), clients, turnMs, count } });

// Sends requests until stopped; returns all responses.
export function keepAsking(question) {
  const thread = startClients(question);
  const answers = new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
  answers.catch(() => {}); // reported by stop()
  thread.unref(); // a test that fails does not stop them
  return async () => {
    thread.ref();
    thread.postMessage('stop');
    return answers;
  };
}

export function timesOf(answers) {
  const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  const quantile = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return { count: sorted.length, p50: quantile(0.5), p99: quantile(0.99), longest: sorted.at(-1) };
}
const textOf = ({ count, p50, p99, longest }) => `${count} responses, p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, longest ${longest.toFixed(0)} ms`;

// The same traffic by itself, some hundred responses: the baseline of assertServed.
export async function withoutCrowd(question) {
  const [answers] = await once(startClients(question, 400), 'message');
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  return timesOf(answers);
}

// Every request was served within a webhook's deadline, and p99 is bounded. The machine's speed varies,
// so p99 is compared with itself a moment before; and the crowd's own clients take half of the processors. A second,
// or twenty times the baseline, is more than that adds to a few milliseconds: a longer wait means a queue behind the crowd.
export function assertServed(t, answers, quiet, { within = 5000, p99Ms = 1000, atLeast = 50 } = {}) {
  const times = timesOf(answers);
  t.diagnostic(`good traffic: ${textOf(times)}; without the crowd: ${textOf(quiet)}`);
  assert.ok(times.count >= atLeast, `asked ${times.count} times only`);
  const otherwise = answers.filter(({ status }) => status !== 200).map(({ status }) => status);
  assert.deepEqual(otherwise, [], `${otherwise.length} of ${answers.length} otherwise`);
  assert.ok(times.longest < within, `answered after ${times.longest.toFixed(0)} ms`);
  const most = Math.max(p99Ms, 20 * quiet.p99);
  assert.ok(times.p99 < most, `p99 of ${times.p99.toFixed(0)} ms, ${quiet.p99.toFixed(0)} ms without the crowd`);
}

export function assertBounded(most, was, { memoryMiB }) {
  assert.ok(most.descriptors <= was.descriptors + connectionsMax + 8, `${was.descriptors} descriptors, then ${most.descriptors}`);
  assert.ok(most.threads <= was.threads, `${was.threads} threads, then ${most.threads}`);
  assert.ok(most.memoryMiB < was.memoryMiB + memoryMiB, `${was.memoryMiB} MiB, then ${most.memoryMiB}`);
}

// As before: nothing of a crowd is left, and both requests are served.
export async function assertAsBefore(program, was, { deliver, verify }, { memoryMiB }) {
  await waitFor(() => footprint(program).descriptors <= was.descriptors + 8, { what: `descriptors back at ${was.descriptors}` });
  const now = footprint(program);
  assert.ok(now.threads <= was.threads, `${was.threads} threads, then ${now.threads}`);
  assert.ok(now.memoryMiB < was.memoryMiB + memoryMiB, `${was.memoryMiB} MiB, then ${now.memoryMiB}`);
  assert.equal((await deliver()).status, 200);
  assert.equal((await verify()).status, 200);
}

// A load generator of the build (crowd-load, bench-request-load, bench-webhook-load); returns the line it prints.
export async function load(program, options) {
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await run(path.join(buildFolder, 'bin', program), words, { timeout: 120_000 });
  return JSON.parse(stdout);
}
