// Histories of Clerk users for the tests about convergence: events made from a seed, their expected result, and
// a watch over the positions that the database and Kafka hold.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { clerkUser, readUser, userCreated, userDeleted, userUpdated } from './support.mjs';

// Numbers from a seed, so that a failing order can be repeated: SEED=... tests/run ...
export function randomFrom(seed) {
  let state = createHash('sha256').update(seed).digest();
  const next = (below) => {
    state = createHash('sha256').update(state).digest();
    return state.readUInt32BE(0) % below;
  };
  const shuffled = (items) => {
    const all = [...items];
    for (let i = all.length - 1; i > 0; i--) {
      const j = next(i + 1);
      [all[i], all[j]] = [all[j], all[i]];
    }
    return all;
  };
  return { next, shuffled };
}

// 20 events of each user: a creation, updates, some in the same millisecond; the first `deleted` users are deleted
// at a random place.
export function history(random, { users, deleted }) {
  const events = [];
  for (let n = 0; n < users; n++) {
    const id = `user_2seeded${n}x${random.next(1e9)}`;
    const begin = Date.now() - 1_000_000;
    const deletedAt = n < deleted ? 5 + random.next(10) : -1;
    for (let i = 0; i < 20; i++) {
      const updatedAt = begin + 1000 * (i - (random.next(4) === 0 ? 1 : 0));
      const user = clerkUser({
        id, created_at: begin, updatedAt, first_name: `Name${i}`, last_name: `of ${n}`, email: `${id}.${random.next(5)}@example.com`,
        username: random.next(2) ? `user${n}x${i}` : null, banned: random.next(5) === 0,
      });
      const body = i === deletedAt ? userDeleted(id, updatedAt) : i === 0 ? userCreated(user) : userUpdated(user);
      events.push({ message: `msg_${n}_${i}`, body });
    }
  }
  return events;
}

const versionOf = (body, message) => [body.data.updated_at, body.timestamp, message];

function isNewer(a, b) {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] > b[i];
  return false;
}

export async function assertOneOfEach(database, user) {
  const rows = await database.rows('select id from up_users where clerk_id = $1', [user.id]);
  assert.equal(rows.length, 1);
  const { roles, profiles } = await readUser(database, user.id);
  assert.equal(roles.length, 1);
  assert.equal(profiles.user_profile.length, 1);
}

// The merge rule once more, written differently from the worker's: what each user's rows must be.
export function newestOf(events) {
  const users = new Map();
  for (const { message, body } of events) {
    const id = body.data.id;
    const known = users.get(id);
    if (body.type === 'user.deleted') users.set(id, { deleted: true });
    else if (!known || (!known.deleted && isNewer(versionOf(body, message), known.version))) users.set(id, { user: body.data, version: versionOf(body, message) });
  }
  return users;
}

export async function assertIsNewest(database, users) {
  for (const [id, { deleted, user }] of users) {
    const rows = await readUser(database, id);
    if (deleted) {
      assert.equal(rows, null, `${id} has a row again`);
      continue;
    }
    await assertOneOfEach(database, user);
    const name = `${user.first_name} ${user.last_name}`;
    const email = user.email_addresses[0].email_address;
    const { email: storedEmail, username, full_name, blocked } = rows.user;
    assert.deepEqual({ email: storedEmail, username, full_name, blocked }, { email, username: user.username ?? email, full_name: name, blocked: user.banned });
    assert.deepEqual(rows.profiles.user_profile.map((profile) => profile.name), [name]);
  }
}

// Reads repeatedly which positions the database and Kafka hold, and which events had an effect by then.
export function watchPositions(kafka, database, topics) {
  const looks = [];
  let stopped = false;
  const look = async () => {
    const committed = await kafka.committed(topics.KAFKA_GROUP_ID, topics.TOPIC_USER_EVENTS);
    const [{ next, states }] = await database.rows( // one statement: one snapshot
      `select (select json_object_agg(partition, value) from clerk_sync.next_offset where topic = $1) as next,
              (select json_object_agg(clerk_id, json_build_array(tombstone, updated_at_ms, event_ms, event_id)) from clerk_sync.user_state) as states`,
      [topics.TOPIC_USER_EVENTS],
    );
    looks.push({ committed, next: next || {}, states: states || {} });
  };
  const ended = (async () => {
    while (!stopped) {
      await look().catch(() => {}); // the database may be unreachable; the test asserts that there were looks
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await look();
  })();
  return {
    // For every look: each record below the positions had its effect, by the state of its user.
    async assertNeverAhead(records) {
      stopped = true;
      await ended;
      let below = 0;
      for (const { committed, next, states } of looks) {
        for (const positions of [committed, next]) {
          for (const { partition, offset, key, value, headers } of records) {
            if (offset >= (positions[partition] ?? 0)) continue;
            below++;
            const state = states[key];
            assert.ok(state, `${partition}/${offset} counts as done, but ${key} has no state`);
            const [tombstone, ...version] = state;
            const body = JSON.parse(value);
            const done = tombstone || (body.type !== 'user.deleted' && !isNewer(versionOf(body, headers.ce_id), version));
            assert.ok(done, `${partition}/${offset} counts as done, but has no effect`);
          }
        }
      }
      assert.ok(below > 0, 'nothing ever counted as done');
      return { looks: looks.length, last: looks.at(-1) };
    },
  };
}
