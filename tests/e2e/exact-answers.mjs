// One request of any bytes to a running clerk-ingest, and everything that changed: the response, the counters, and how
// many records reached which topic. For tables of inputs, where each row states all of that exactly.

import assert from 'node:assert/strict';
import { Peer } from '../faults/crowd.mjs';
import { waitFor } from './support.mjs';

// A request as sent on the wire; `headers` are pairs, so that a name may occur twice, and are sent byte by byte
// (latin1). A body is bytes or UTF-8.
export function requestBytes(method, target, headers = [], body = '') {
  const length = Buffer.byteLength(body);
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: ingest', ...headers.map(([name, value]) => `${name}: ${value}`)];
  if (length > 0 || method === 'POST') lines.push(`Content-Length: ${length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
}

export const problemOf = (body) => (body.startsWith('{"type":"urn:clerk-strapi-sync:') ? JSON.parse(body).type.split(':').at(-1) : null);

// Sends on a connection of its own and resolves to the one response; with `closes` the program must end the connection.
export async function exchange(program, bytes, { closes = false } = {}) {
  const peer = new Peer(new URL(program.url).port);
  await peer.opened;
  peer.send(bytes);
  const answer = await peer.answer();
  assert.ok(answer, 'the connection ended without an answer');
  if (closes) await waitFor(() => peer.ended, { what: 'the end of the connection' });
  assert.equal(peer.answers.length, 0, 'a second answer to one request');
  peer.reset();
  return { ...answer, problem: problemOf(answer.body) };
}

// A rejection: its status and problem, as problem+json that no other site's page may read.
export function assertRefused(answer, status, problem) {
  assert.deepEqual({ status: answer.status, problem: answer.problem }, { status, problem }, answer.body);
  assert.equal(answer.headers['content-type'], 'application/problem+json');
  assert.equal(JSON.parse(answer.body).status, status);
  assertNoCors(answer);
}

export function assertNoCors(answer) {
  assert.deepEqual(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')), []);
}

// Counters of ours, without the prefix: {'webhooks_total{outcome="accepted",type="user.created"}': 1}.
async function countersOf(program) {
  const { text } = await program.metrics();
  return Object.fromEntries([...text.matchAll(/^clerk_ingest_(\w+_total(?:\{.*\})?) (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]));
}

const risen = (before, after) =>
  Object.fromEntries(Object.entries(after).filter(([name, value]) => value !== (before[name] ?? 0)).map(([name, value]) => [name, value - (before[name] ?? 0)]));

// Reads counters and topics repeatedly: moved() resolves to what increased since the last call.
// `topics` are names by role.
export async function watchMoves(program, kafka, topics) {
  const look = async () => {
    const lengths = Object.entries(topics).map(async ([role, topic]) => [role, await kafka.length(topic)]);
    return { counters: await countersOf(program), records: Object.fromEntries(await Promise.all(lengths)) };
  };
  let last = await look();
  return {
    async moved() {
      const [before, now] = [last, await look()];
      last = now;
      return { counters: risen(before.counters, now.counters), records: risen(before.records, now.records) };
    },
  };
}

// For results that depend on the second: tries at the beginning of one, and again when that second ended too early.
export async function withinASecond(attempt) {
  for (let left = 5; ; --left) {
    await waitFor(() => Date.now() % 1000 < 300, { what: 'the beginning of a second', everyMs: 5 });
    const begun = Math.floor(Date.now() / 1000);
    try {
      return await attempt();
    } catch (error) {
      if (left === 0 || Math.floor(Date.now() / 1000) === begun) throw error;
    }
  }
}
