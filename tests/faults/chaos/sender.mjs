// Svix and Clerk, from a seed: users whose popularity follows Zipf's law are created, changed and deleted; each event is a
// message that is delivered to any instance until one responds 2xx, on Svix's schedule with hours shortened to seconds. One in ten
// is late, one in ten is sent again after its 2xx.

import { createHash } from 'node:crypto';
import { clerkUser, userCreated, userDeleted, userUpdated, Webhook } from '../../e2e/clerk.mjs';
import { webhookSecret } from '../../e2e/support.mjs';

const retryAfterMs = [200, 500, 1000, 2000, 4000, 8000];
const answerWithinMs = 12_000;
const attemptsAtOnceMax = 1500; // Svix's open requests; no new event happens beyond it
const tickMs = 20;

const foreignSecret = `whsec_${Buffer.from('a secret of another instance').toString('base64')}`;
const errorCode = (error) => error.cause?.code ?? error.code ?? error.name;

// Numbers below `ends.length`, the n-th in proportion to 1 / (n + 1).
function zipf(random, size) {
  const ends = [];
  let sum = 0;
  for (let n = 1; n <= size; n++) ends.push((sum += 1 / n));
  return () => {
    const at = (random.next(1 << 30) / (1 << 30)) * sum;
    const found = ends.findIndex((end) => at < end);
    return found < 0 ? size - 1 : found;
  };
}

export class Sender {
  #random;
  #history;
  #instances;
  #rate;
  #slots;
  #popular;
  #timer;
  #number = 0;
  #signer = new Webhook(webhookSecret);
  #forger = new Webhook(foreignSecret);
  open = 0; // messages without a 2xx
  attempts = 0; // being delivered now
  sent = 0;
  users = []; // all ids so far

  constructor({ random, history, instances, rate, users }) {
    Object.assign(this, { seed: random.next(1e9).toString(36) });
    this.#random = random;
    this.#history = history;
    this.#instances = instances;
    this.#rate = rate;
    this.#slots = Array.from({ length: users }, () => null);
    this.#popular = zipf(random, users);
  }

  start() {
    let due = 0;
    let last = Date.now();
    this.#timer = setInterval(() => {
      due += (this.#rate * (Date.now() - last)) / 1000;
      last = Date.now();
      for (; due >= 1; due--) if (this.attempts < attemptsAtOnceMax) this.#next();
    }, tickMs);
  }

  stop() {
    clearInterval(this.#timer);
  }

  // --- events at Clerk

  #chance = (percent) => this.#random.next(1000) < percent * 10;

  #newUser() {
    const id = `user_2${this.seed}n${this.#number++}`;
    this.users.push(id);
    return { id, created: Date.now(), updated: Date.now(), changes: 0 };
  }

  #event() {
    const place = this.#popular();
    const known = this.#slots[place];
    if (known && this.#chance(4)) {
      this.#slots[place] = null;
      return userDeleted(known.id);
    }
    const person = known ?? (this.#slots[place] = this.#newUser());
    if (!this.#chance(10)) person.updated = Math.max(person.updated, Date.now()); // else: in the same millisecond
    const body = this.#userObject(person, place);
    return known ? userUpdated(body) : userCreated(body);
  }

  #userObject(person, place) {
    const pick = this.#random;
    const email = this.#chance(15) ? `Shared${pick.next(30)}@example.com` : this.#chance(3) ? null : `${person.id}.${pick.next(3)}@example.com`;
    const username = this.#chance(70) ? null : this.#chance(30) ? `common${pick.next(20)}` : `name${place}x${pick.next(3)}`;
    return clerkUser({
      id: person.id, email, username, verified: this.#chance(80), updatedAt: person.updated, created_at: person.created,
      first_name: this.#chance(5) ? null : `Change${person.changes++}`, last_name: this.#chance(5) ? null : `Of ${place}`, banned: this.#chance(6),
    });
  }

  // --- deliveries by Svix

  #next() {
    const event = this.#event();
    const message = { id: `msg_${this.seed}_${this.sent++}`, attempt: 0, kind: 'event', signer: this.#signer };
    if (this.#chance(2)) Object.assign(message, { kind: 'ignored', body: { ...event, type: 'session.created' } });
    else if (this.#chance(0.5)) Object.assign(message, { kind: 'foreign', body: { ...event, instance_id: 'ins_2somebodyelse' } });
    else if (this.#chance(1)) Object.assign(message, { kind: 'forged', body: event, signer: this.#forger });
    this.#begin(message, event);
    // Forged, ignored and foreign messages are extra: the user's own event follows under another id.
    if (message.kind !== 'event') this.#begin({ id: `msg_${this.seed}_${this.sent++}`, attempt: 0, kind: 'event', signer: this.#signer }, event);
  }

  #begin(message, event) {
    message.text = JSON.stringify(message.body ?? event);
    message.body = null;
    const hash = createHash('sha256').update(message.text).digest('hex');
    this.#history.write('message', { id: message.id, kind: message.kind, type: event.type, user: event.data.id, hash });
    if (message.kind !== 'forged') this.open++;
    this.#later(message, this.#chance(10) ? this.#random.next(3000) : 0);
  }

  #later(message, ms) {
    if (ms === 0) this.#attempt(message);
    else setTimeout(() => this.#attempt(message), ms);
  }

  async #attempt(message) {
    const instances = this.#instances();
    const instance = instances[this.#random.next(Math.max(1, instances.length))];
    if (!instance) return this.#again(message);
    const attempt = ++message.attempt;
    this.attempts++;
    this.#history.write('invoke', { id: message.id, attempt });
    const outcome = await this.#deliver(instance.url, message);
    this.attempts--;
    this.#history.write(outcome.what, { id: message.id, attempt, ...outcome.fields });
    if (message.kind === 'forged' || message.isCopy) return;
    if (outcome.what !== 'ok') return this.#again(message);
    this.open--;
    if (this.#chance(10)) this.#later({ ...message, isCopy: true, attempt: 1000 }, 1 + this.#random.next(5000));
  }

  #again(message) {
    const wait = retryAfterMs[Math.min(message.attempt, retryAfterMs.length - 1)];
    this.#later(message, wait / 2 + this.#random.next(wait));
  }

  // ok: 2xx. fail: certainly no effect. info: unknown.
  async #deliver(url, { id, text, signer }) {
    const now = new Date();
    const headers = { 'content-type': 'application/json', 'svix-id': id, 'svix-timestamp': String(Math.floor(now / 1000)), 'svix-signature': signer.sign(id, now, text) };
    try {
      const answer = await fetch(`${url}/webhooks/clerk`, { method: 'POST', headers, body: text, signal: AbortSignal.timeout(answerWithinMs) });
      await answer.arrayBuffer();
      const what = answer.status < 300 ? 'ok' : answer.status < 500 ? 'fail' : 'info';
      return { what, fields: { status: answer.status, retryAfter: answer.headers.get('retry-after') } };
    } catch (error) {
      const code = errorCode(error);
      return { what: code === 'ECONNREFUSED' ? 'fail' : 'info', fields: { code } };
    }
  }
}

export { errorCode };
