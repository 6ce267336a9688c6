// Reads the site repeatedly, past all gates: each user's state with the rows that belong to
// it, the stored positions and Kafka's own commits. The changes since the last look are recorded.

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const lookEveryMs = 500;
const resourcesEveryMs = 5000;

const statement = `select
  (select json_object_agg(topic || ' ' || partition, value) from clerk_sync.next_offset) as next,
  (select json_object_agg(s.clerk_id, json_build_array(tombstone, updated_at_ms, event_ms, event_id, encode(body_hash, 'hex'),
     (select count(*) from up_users u where u.clerk_id = s.clerk_id),
     (select count(*) from up_users u join up_users_role_lnk l on l.user_id = u.id where u.clerk_id = s.clerk_id),
     (select count(*) from up_users u join user_profiles_user_lnk l on l.user_id = u.id where u.clerk_id = s.clerk_id),
     (select count(*) from up_users u join member_profiles_user_lnk l on l.user_id = u.id where u.clerk_id = s.clerk_id)))
   from clerk_sync.user_state s) as states`;

export class Watch {
  #stage;
  #history;
  #kafka;
  #over = false;
  #known = new Map();
  #ended;
  looks = 0;

  constructor(stage, history, kafka) {
    this.#stage = stage;
    this.#history = history;
    this.#kafka = kafka;
  }

  start() {
    const again = async (everyMs, look) => {
      while (!this.#over) {
        await look().catch(() => {}); // the database or the brokers may be unreachable; the checker requires enough looks
        await pause(everyMs);
      }
    };
    this.#ended = Promise.all([again(lookEveryMs, () => this.look()), again(lookEveryMs, () => this.#commits()), again(resourcesEveryMs, async () => this.#resources())]);
  }

  async stop() {
    this.#over = true;
    await this.#ended;
    await this.look();
  }

  async look() {
    const began = Date.now();
    const [{ next, states }] = await this.#stage.database.rows(statement);
    const changed = {};
    for (const [id, state] of Object.entries(states ?? {})) {
      const text = JSON.stringify(state);
      if (this.#known.get(id) === text) continue;
      this.#known.set(id, text);
      changed[id] = state;
    }
    const gone = [...this.#known.keys()].filter((id) => !states?.[id]);
    for (const id of gone) this.#known.delete(id);
    this.looks++;
    this.#history.write('look', { began, next: next ?? {}, changed, gone });
  }

  async #commits() {
    const { topics } = this.#stage;
    for (const [topic, group] of [[topics.TOPIC_USER_EVENTS, ''], [topics.TOPIC_PROVISIONING, '.user-provisioning']]) {
      const committed = await this.#kafka.committed(topics.KAFKA_GROUP_ID + group, topic);
      this.#history.write('committed', { topic, committed });
    }
  }

  #resources() {
    for (const { pid, kind, logFile } of this.#stage.programs) {
      try {
        const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
        const threads = Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
        this.#history.write('resources', { program: logFile, kind, kib, threads, descriptors: readdirSync(`/proc/${pid}/fd`).length });
      } catch {
        // it ended between our two looks
      }
    }
  }
}
