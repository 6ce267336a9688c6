// Faults from a seed: two injectors that each break something for a while, repair it, and continue. Each fault is a
// function that returns when it has repaired what it broke.

import { setTimeout as pause } from 'node:timers/promises';

export class Nemesis {
  #stage;
  #random;
  #history;
  #over = false;
  #taken = new Set(); // a broker or the database is broken by one injector at a time
  counts = {};

  constructor(stage, random, history) {
    this.#stage = stage;
    this.#random = random;
    this.#history = history;
  }

  // Resolves when the injectors have stopped and everything is repaired.
  async run(ms, hands = 2) {
    const end = Date.now() + ms;
    await Promise.all(Array.from({ length: hands }, async () => {
      while (Date.now() < end && !this.#over) {
        await pause(500 + this.#random.next(2500));
        if (Date.now() < end) await this.#one(end - Date.now());
      }
    }));
  }

  stop() {
    this.#over = true;
  }

  async #one(leftMs) {
    const [name, where, act] = this.#draw();
    if (where !== null && this.#taken.has(where)) return;
    this.#taken.add(where);
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    this.#history.write('fault', { name, where });
    try {
      await act(Math.max(500, Math.min(leftMs, 12_000)));
    } catch (error) {
      this.#history.write('fault-failed', { name, where, why: error.message.split('\n')[0] });
    }
    this.#history.write('repaired', { name, where });
    this.#taken.delete(where);
  }

  #lasting = (from, to) => pause(from + this.#random.next(to - from));

  #draw() {
    const pick = this.#random;
    const faults = [
      ...this.#ofPrograms('ingest'), ...this.#ofPrograms('worker'), ...this.#ofPrograms('worker'),
      ...this.#ofGate(`broker ${1 + pick.next(this.#stage.kafka.gates.length)}`), ...this.#ofGate(pick.next(2) ? 'database of workers' : 'database of ingest'),
      ...this.#ofBrokers(1 + pick.next(this.#stage.kafka.gates.length)), ...this.#ofDatabase(),
    ];
    return faults[pick.next(faults.length)];
  }

  #victim(kind) {
    const all = this.#stage.of(kind);
    return all[this.#random.next(Math.max(1, all.length))];
  }

  // --- programs

  #ofPrograms(kind) {
    const start = () => this.#stage.start(kind);
    return [
      [`${kind} killed`, kind, async () => {
        const victim = this.#victim(kind);
        if (victim) await this.#stage.kill(victim);
        await this.#lasting(0, 2000);
        await start();
      }],
      [`${kind} frozen`, kind, async (mostMs) => {
        const victim = this.#victim(kind);
        if (!victim) return;
        victim.signal('SIGSTOP');
        await pause(Math.min(mostMs, this.#random.next(2) ? 500 + this.#random.next(3000) : 11_000)); // within and beyond a session
        victim.signal('SIGCONT');
      }],
      [`${kind} replaced`, kind, async () => { // a rolling deployment
        const victim = this.#victim(kind);
        await start();
        if (victim) await this.#stage.stop(victim);
      }],
      ...(kind === 'worker' ? [['rebalance storm', null, async () => {
        for (let n = 0; n < 3; n++) {
          const guest = await start();
          await this.#lasting(800, 2500);
          if (n % 2 === 0) await this.#stage.kill(guest);
          else await this.#stage.stop(guest);
        }
      }]] : []),
    ];
  }

  // --- the network

  #ofGate(where) {
    const { kafka, postgres } = this.#stage;
    const gate = where.startsWith('broker') ? kafka.gates[Number(where.slice(7)) - 1] : postgres.gates[where.endsWith('workers') ? 0 : 1];
    const name = where.startsWith('broker') ? 'kafka' : 'database';
    const during = (begin) => async (mostMs) => {
      begin();
      await pause(Math.min(mostMs, 500 + this.#random.next(9000)));
      gate.restore();
    };
    return [
      [`${name} connections cut`, where, async () => gate.cut()],
      [`${name} unreachable`, where, during(() => gate.refuse())],
      [`${name} half-open`, where, during(() => gate.freeze())],
      [`${name} answers lost`, where, during(() => gate.loseAnswers())],
      [`${name} slow`, where, during(() => gate.slow(20 + this.#random.next(600)))],
    ];
  }

  // --- Kafka and PostgreSQL

  #ofBrokers(node) {
    const { kafka } = this.#stage;
    const stopBroker = (kill) => async () => {
      await kafka.stopBroker(node, { kill });
      await this.#lasting(0, 3000);
      await kafka.startBroker(node);
    };
    return [['broker killed', 'brokers', stopBroker(true)], ['broker restarted', 'brokers', stopBroker(false)]];
  }

  #ofDatabase() {
    const { database, postgres } = this.#stage;
    const others = 'pid <> pg_backend_pid() and datname = current_database()';
    return [
      ['database crashed', 'database', async () => {
        await postgres.crash();
        await this.#lasting(0, 4000);
        await postgres.start();
      }],
      ['backends terminated', null, () => database.rows(`select pg_terminate_backend(pid) from pg_stat_activity where ${others} and application_name like 'clerk-%'`)],
      ['database read-only', 'database', async () => {
        await database.rows(`alter database ${database.name} set default_transaction_read_only = on`);
        await database.rows(`select pg_terminate_backend(pid) from pg_stat_activity where ${others}`).catch(() => {});
        await this.#lasting(500, 5000);
        await this.#readWrite();
      }],
      ['table locked', 'database', async () => {
        const client = await database.connect();
        client.on('error', () => {});
        try {
          await client.query('begin; lock table up_users in access exclusive mode');
          await this.#lasting(500, 8000);
          await client.query('rollback');
        } finally {
          client.release(true);
        }
      }],
    ];
  }

  async #readWrite() {
    const client = await this.#stage.database.connect();
    try {
      await client.query('set default_transaction_read_only = off');
      await client.query(`alter database ${this.#stage.database.name} reset default_transaction_read_only`);
    } finally {
      client.release(true);
    }
  }

  // Repairs everything, whichever injector broke it.
  async repair() {
    for (const gate of this.#stage.gates) gate.restore();
    for (const one of this.#stage.programs) one.signal('SIGCONT');
    await this.#readWrite();
  }
}
