// The site's traffic during an upgrade: webhooks for many users, existing users who use the site all the time, and new users. It keeps
// what must hold in the end: the newest acknowledged event of each user.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { clerkId, clerkUser, sendWebhook, userCreated, userDeleted, userUpdated, waitFor, webhookSecret } from './support.mjs';
import { signingKey } from './upgrade-stage.mjs';

const webhooksPerSecond = 40;
const underWayMax = 200; // a busy machine sends more slowly
const residentsCount = 20;
const deliveryMs = 60_000; // until a webhook gets 200; Svix repeats for days

const tokenOf = (id, claims = {}) => ({ authorization: `Bearer ${signingKey.sign({ sub: id, ...claims })}` });
const nameOf = (user) => `${user.first_name} ${user.last_name}`;

let over = false;
after(() => (over = true)); // a test that failed leaves no load behind

// Runs `act` every `everyMs`, several at once, until end() is called; end() waits for unfinished runs.
function steadily(everyMs, act) {
  const running = new Set();
  const faults = [];
  let on = true;
  let due = Date.now();
  const polling = waitFor(() => {
    if (over) return true;
    for (; on && due <= Date.now(); due += everyMs) {
      if (running.size >= underWayMax) continue;
      const one = act().catch((error) => faults.push(error.message)).finally(() => running.delete(one));
      running.add(one);
    }
    return !on;
  }, { what: 'the end of the load', deadlineMs: 600_000, everyMs: 5 });
  return {
    async end() {
      on = false;
      await polling;
      await Promise.all(running);
      assert.deepEqual(faults, []);
    },
  };
}

export async function startLoad({ balancer, database, strapi }) {
  const newest = new Map(); // id → the newest acknowledged user, or null once a deletion was acknowledged
  const webhooks = {};
  const visits = {};
  const strapiVisits = {};
  const count = (tally, what) => (tally[what] = (tally[what] ?? 0) + 1);

  const remember = (id, user) => {
    const known = newest.get(id);
    if (user === null || known === undefined || (known && known.updated_at < user.updated_at)) newest.set(id, user);
  };

  // Repeats what gets 503, as every caller does. Any other response than 200 is final, and a fault.
  async function untilAnswered(tally, ask, { what, deadlineMs }) {
    const status = await waitFor(async () => {
      const found = over ? 'the test has ended' : await ask();
      count(tally, found);
      return found !== 503 && found;
    }, { what, deadlineMs, everyMs: 50 });
    assert.equal(status, 200, what);
  }

  async function deliver(id, body, user) {
    const messageId = `msg_${id.slice(5)}_${body.type.slice(5)}_${body.timestamp}`;
    const send = async () => (await sendWebhook(balancer.next().url, webhookSecret, { body, id: messageId })).status;
    await untilAnswered(webhooks, send, { what: `the webhook ${messageId} answered 200`, deadlineMs: deliveryMs });
    remember(id, user);
  }

  const create = async (user = clerkUser()) => (await deliver(user.id, userCreated(user), user), user);
  const update = (user, n) => {
    const changed = { ...user, first_name: `Version${n}`, updated_at: user.updated_at + n };
    return deliver(user.id, userUpdated(changed), changed);
  };

  const rowsOf = async () => new Map((await database.rows('select clerk_id, full_name from up_users where clerk_id is not null')).map((row) => [row.clerk_id, row.full_name]));
  async function notApplied(ids = [...newest.keys()]) {
    const rows = await rowsOf();
    return ids.filter((id) => rows.get(id) !== (newest.get(id) ? nameOf(newest.get(id)) : undefined));
  }
  const untilApplied = (ids, deadlineMs = 60_000) =>
    waitFor(async () => {
      const left = await notApplied(ids);
      if (left.length > 0) throw new Error(`${left.length} users are not as their newest event says, such as ${left[0]}`);
      return true;
    }, { what: 'every acknowledged event in the rows', deadlineMs, everyMs: 200 });

  const visit = (tally, ask) => untilAnswered(tally, ask, { what: 'a signed-in request answered 200', deadlineMs: 15_000 });
  async function verify(id, { by = balancer.next(), claims } = {}) {
    const answer = await fetch(`${by.url}/v1/auth/verify`, { headers: tokenOf(id, claims), signal: AbortSignal.timeout(15_000) });
    await answer.arrayBuffer();
    return answer.status;
  }

  // Existing users are created before the upgrade begins.
  const residents = await Promise.all(Array.from({ length: residentsCount }, () => create()));
  await untilApplied(residents.map(({ id }) => id));

  const users = [];
  let n = 0;
  const webhookLoad = steadily(1000 / webhooksPerSecond, async () => {
    const turn = ++n;
    const earlier = users[(turn * 7) % Math.max(1, users.length)];
    if (turn % 8 === 0) return update(residents[turn % residentsCount], turn);
    if (turn % 8 === 5 && earlier) return update(earlier, turn);
    if (turn % 8 === 7 && earlier) return deliver(earlier.id, userDeleted(earlier.id, Date.now() + turn), null);
    const user = clerkUser();
    users.push(user);
    return create(user);
  });
  const visitLoad = steadily(50, () => visit(visits, () => verify(residents[visits[200] % residentsCount || 0].id)));
  const strapiLoad = steadily(300, () =>
    visit(strapiVisits, async () => (await strapi.call('GET', 'users/me', { headers: tokenOf(residents[strapiVisits[200] % residentsCount || 0].id) })).status));

  return {
    // Events and new users of this moment arrive, whichever version handles them.
    async flows(ingests) {
      const sent = await Promise.all(Array.from({ length: 24 }, () => create()));
      await untilApplied(sent.map(({ id }) => id));
      await Promise.all(ingests.map((by) => {
        const id = clerkId();
        remember(id, clerkUser({ id, first_name: 'New', last_name: 'Comer', updatedAt: 0 })); // its row comes from the token
        return visit(visits, () => verify(id, { by, claims: { email: `${id.slice(-8)}@example.com`, first_name: 'New', last_name: 'Comer' } }));
      }));
    },
    async end() {
      await Promise.all([webhookLoad.end(), visitLoad.end(), strapiLoad.end()]);
      await untilApplied(undefined, 90_000);
    },
    summary: () => `${newest.size} users; webhooks ${JSON.stringify(webhooks)}, verify ${JSON.stringify(visits)}, Strapi ${JSON.stringify(strapiVisits)}`,
  };
}
