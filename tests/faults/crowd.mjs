// Many raw connections to one port, each with its responses; and the resources of a process meanwhile.

import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { Webhook } from '../e2e/clerk.mjs';

const quiet = () => {}; // a reset is what these tests are about

// One connection. Responses are parsed as they arrive; `ended` is when the other side closed, and how.
export class Peer {
  answers = []; // {status, headers, at}
  ended = null; // {at}
  #bytes = '';
  #wake = quiet; // waiters for a response

  constructor(port) {
    this.opened = new Promise((resolve) => {
      this.socket = net.connect({ port, host: '127.0.0.1' });
      this.socket.setNoDelay(true);
      this.socket.once('connect', () => resolve(this)).once('close', () => resolve(this));
    });
    this.begun = performance.now();
    this.socket.on('error', quiet).on('data', (bytes) => this.#take(bytes));
    const end = () => {
      this.ended ??= { at: performance.now() };
      this.#wake();
    };
    this.socket.once('end', end).once('close', end);
  }

  send(text) {
    this.socket.write(text);
    return this;
  }

  // The next unread response; null when the connection ended before.
  async answer(deadlineMs = 20_000) {
    if (this.answers.length === 0 && !this.ended) {
      await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.answers.shift() ?? null;
  }

  reset() {
    this.socket.resetAndDestroy();
  }

  #take(bytes) {
    this.#bytes += bytes.toString('latin1');
    let at = 0;
    for (;;) {
      const head = this.#bytes.indexOf('\r\n\r\n', at);
      if (head < 0) break;
      const [line, ...fields] = this.#bytes.slice(at, head).split('\r\n');
      const headers = Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 2)]));
      const end = head + 4 + Number(headers['content-length'] ?? 0);
      if (this.#bytes.length < end) break;
      this.answers.push({ status: Number(line.split(' ')[1]), headers, body: this.#bytes.slice(head + 4, end), at: performance.now() });
      at = end;
    }
    this.#bytes = this.#bytes.slice(at);
    if (this.answers.length > 0) this.#wake();
  }
}

// Opens many connections, a few hundred at a time, so that the program is tested and not the kernel's accept queue.
export async function openPeers(port, count, each = quiet) {
  const peers = [];
  while (peers.length < count) {
    const some = Array.from({ length: Math.min(250, count - peers.length) }, () => new Peer(port));
    await Promise.all(some.map(({ opened }) => opened));
    some.forEach((peer, index) => each(peer, peers.length + index));
    peers.push(...some);
  }
  return peers;
}

// Sends it byte by byte, until the other side closes.
export function dribble(peer, text, everyMs) {
  let at = 0;
  const timer = setInterval(() => {
    if (peer.ended || at === text.length) clearInterval(timer);
    else peer.send(text[at++]);
  }, everyMs);
}

export const resetAll = (peers) => peers.forEach((peer) => peer.reset());
export const endedOf = (peers) => peers.filter(({ ended }) => ended).length;

export const requestText = (method, target, headers = {}, body = '') =>
  [`${method} ${target} HTTP/1.1`, 'Host: ingest', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body ? [`Content-Length: ${Buffer.byteLength(body)}`] : []), '', body].join('\r\n');

export function webhookText(secret, id, envelope, headers = {}) {
  const body = JSON.stringify(envelope);
  const now = new Date();
  const signed = { 'svix-id': id, 'svix-timestamp': Math.floor(now.getTime() / 1000), 'svix-signature': new Webhook(secret).sign(id, now, body) };
  return requestText('POST', '/webhooks/clerk', { ...signed, ...headers }, body);
}

// On a connection of its own: {status, retryAfter, ms}; status 0 when it was closed without a response.
export async function ask(port, text) {
  const peer = new Peer(port).send(text);
  const answer = await peer.answer();
  peer.reset();
  return { status: answer?.status ?? 0, retryAfter: answer?.headers['retry-after'], ms: (answer?.at ?? performance.now()) - peer.begun };
}

const kibOf = (status, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1]);

export function footprint({ pid }) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return { memoryMiB: kibOf(status, 'VmRSS') / 1024, threads: kibOf(status, 'Threads'), descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

// The highest value of each, until stop(): {memoryMiB, threads, descriptors}.
export function watchFootprint(program) {
  const most = footprint(program);
  const look = () => {
    const now = footprint(program);
    for (const name of Object.keys(most)) most[name] = Math.max(most[name], now[name]);
  };
  const timer = setInterval(() => {
    try {
      look();
    } catch {
      clearInterval(timer); // it ended
    }
  }, 50);
  timer.unref(); // a test that fails does not stop it
  return {
    stop() {
      clearInterval(timer);
      look();
      return most;
    },
  };
}
