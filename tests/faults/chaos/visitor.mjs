// Clients with session tokens: known users, unknown users, and tokens that must be rejected. The checker decides which
// responses are right.

import { newSigningKey } from '../../e2e/clerk.mjs';
import { errorCode } from './sender.mjs';

const everyMs = 200;

export class Visitor {
  #timer;
  #number = 0;

  constructor({ random, history, instances, key, users }) {
    const foreign = newSigningKey();
    const kinds = {
      good: (sub) => key.sign({ sub }),
      stranger: () => key.sign({ sub: `user_2stranger${random.next(1e6).toString(36)}` }),
      forged: (sub) => foreign.sign({ sub }),
      expired: (sub) => key.sign({ sub, iat: Math.floor(Date.now() / 1000) - 120, exp: Math.floor(Date.now() / 1000) - 60 }),
      unsigned: (sub) => `${key.sign({ sub }).split('.').slice(0, 2).join('.')}.`,
    };
    const draw = ['good', 'good', 'good', 'good', 'good', 'stranger', 'forged', 'expired', 'unsigned'];
    this.visit = async () => {
      const all = instances();
      const instance = all[random.next(Math.max(1, all.length))];
      const known = users();
      if (!instance || known.length === 0) return;
      const kind = draw[random.next(draw.length)];
      const user = known[random.next(known.length)];
      const id = this.#number++;
      history.write('verify', { id, kind, user });
      try {
        const answer = await fetch(`${instance.url}/v1/auth/verify`, { headers: { authorization: `Bearer ${kinds[kind](user)}` }, signal: AbortSignal.timeout(12_000) });
        const body = answer.status === 200 ? await answer.json() : await answer.arrayBuffer();
        history.write('verified', { id, kind, user, status: answer.status, clerkId: body.clerkId });
      } catch (error) {
        history.write('verified', { id, kind, user, code: errorCode(error) });
      }
    };
  }

  start() {
    this.#timer = setInterval(this.visit, everyMs);
  }

  stop() {
    clearInterval(this.#timer);
  }
}
