// Part 2: how fast the worker writes users. In process against SQL written by hand (bench-store), then the real program
// on records that real Kafka has already.
import { brokerConnected, cpuSeconds, get, measure, median, memoryMiB, newDatabase, newTopics, quick, spread, sql, startIngest, startWorker, until, webhookSecret } from './support.mjs';

export const usersThere = 100_000;
const filled = 'bench_users';
const rounds = quick ? 3 : 5;
const roundUsers = quick ? 5_000 : 10_000;
const records = quick ? 20_000 : 100_000;
const endToEndRounds = quick ? 2 : 5;
const stopRounds = quick ? 1 : 3;

// A database with its users, made once and copied for each part.
let making;
export const filledDatabase = (say) => (making ??= fill(say));

async function fill(say) {
  say(`a database with ${usersThere} users, written by the worker's code`);
  const url = await newDatabase(filled);
  const [result] = await measure('bench-store', ['--database', url, '--fill', usersThere, '--only-fill']);
  say(`  ${Math.round(result.users / result.seconds)} users/s, from empty tables`);
  await sql(filled, 'vacuum analyze');
  return filled;
}

// One number per round for each contender.
function table(lines, what) {
  const by = {};
  for (const line of lines.filter((one) => one.what === what)) {
    (by[line.by] ??= { rate: [], cpu: [] }).rate.push(line.users / line.seconds);
    by[line.by].cpu.push((line.cpu_s / line.users) * 1e6);
  }
  return by;
}

const ratios = (ours, theirs) => ours.rate.map((value, i) => value / theirs.rate[i]);

async function inProcess({ say, report }) {
  const url = await newDatabase('bench_store', { template: await filledDatabase(say) });
  say(`worker: ${rounds} rounds in process, beside SQL written by hand`);
  const lines = await measure('bench-store', ['--database', url, '--fill', usersThere, '--rounds', rounds, '--users', roundUsers]);

  const fresh = table(lines, 'new');
  const toValues = ratios(fresh.store, fresh.values);
  report({ what: `worker: new users/s beside ${usersThere}, with decoding, conflicts and profile`, text: spread(fresh.store.rate), note: `${median(fresh.store.cpu).toFixed(0)} µs CPU each, without the server's` });
  report({ what: 'baseline: multi-row INSERTs of the same rows, users/s', text: spread(fresh.values.rate) });
  report({ what: 'worker / multi-row INSERTs', value: median(toValues), text: spread(toValues, 2), target: '≥ 0.6', reached: (value) => value >= 0.6 });
  report({ what: 'baseline: one prepared INSERT from arrays', text: spread(fresh.arrays.rate), note: `worker / this: ${spread(ratios(fresh.store, fresh.arrays), 2)}` });
  report({ what: 'limit: COPY of the same rows', text: spread(fresh.copy.rate), note: `worker / this: ${spread(ratios(fresh.store, fresh.copy), 2)}` });

  const changed = table(lines, 'update');
  const toUpdate = ratios(changed.store, changed['users and profiles']);
  report({ what: 'worker: updates/s of name, e-mail and profile', text: spread(changed.store.rate), note: `${median(changed.store.cpu).toFixed(0)} µs CPU each, without the server's` });
  report({ what: 'baseline: set-based UPDATE of users and profiles', text: spread(changed['users and profiles'].rate) });
  report({ what: 'worker / set-based UPDATE', value: median(toUpdate), text: spread(toUpdate, 2), target: '≥ 0.4', reached: (value) => value >= 0.4 });
  report({ what: 'baseline: UPDATE of up_users only', text: spread(changed['users alone'].rate), note: `worker / this: ${spread(ratios(changed.store, changed['users alone']), 2)}` });
  report({ what: 'worker: newer events without a change, /s', text: spread(table(lines, 'unchanged').store.rate) });
  report({ what: 'worker: duplicate events, /s', text: spread(table(lines, 'duplicate').store.rate) });
  await sql('postgres', 'drop database bench_store');
}

const applied = (metrics) => [...(metrics ?? '').matchAll(/^clerk_worker_events_total\{[^}]*\} (\d+)/gm)].reduce((sum, found) => sum + Number(found[1]), 0);

async function fillTopic(topics, say) {
  say(`worker: ${records} webhooks through ingest, for the runs from end to end`);
  const ingest = await startIngest(topics);
  await brokerConnected(ingest);
  const [result] = await measure('bench-webhook-load', ['--to', ingest.port, '--secret', webhookSecret, '--series', 5_000, '--requests', records]);
  if (result.accepted !== records) throw new Error(`only ${result.accepted} of ${records} webhooks were accepted`);
  await ingest.stop();
}

// The release program, with records that are already in Kafka. From its first commit to its last.
async function drain(topics, round) {
  const database = `bench_end_to_end_${round}`;
  const url = await newDatabase(database, { template: filled });
  const worker = await startWorker(url, topics, database);
  let first;
  const last = await until(
    async () => {
      const count = applied(await get(worker.adminPort, '/metrics'));
      if (count > 0) first ??= { count, at: performance.now() };
      return count >= records && { count, at: performance.now(), cpu: cpuSeconds(worker.pid) };
    },
    { what: `${records} records applied`, deadlineMs: 120_000, everyMs: 20 },
  );
  const memory = memoryMiB(worker.pid, 'VmHWM');
  await worker.stop();
  const there = Number(await sql(database, 'select count(*) from up_users'));
  if (there !== usersThere + records) throw new Error(`${there} users instead of ${usersThere + records}`);
  await sql('postgres', `drop database ${database}`);
  return { rate: (last.count - first.count) / ((last.at - first.at) / 1000), cpu: (last.cpu / records) * 1e6, memory, ready: worker.readySeconds };
}

// SIGTERM with the backlog half applied: committed rows and positions must agree.
async function stopUnderLoad(topics, round) {
  const database = `bench_stop_${round}`;
  const url = await newDatabase(database, { template: filled });
  const worker = await startWorker(url, topics, database);
  await until(async () => applied(await get(worker.adminPort, '/metrics')) > 5_000, { what: 'worker under load', deadlineMs: 60_000, everyMs: 20 });
  const seconds = await worker.stop();
  const [rows, positions] = (await sql(database, `select (select count(*) from up_users) - ${usersThere}, (select sum(value) from clerk_sync.next_offset where topic = '${topics.TOPIC_USER_EVENTS}')`)).split('|').map(Number);
  await sql('postgres', `drop database ${database}`);
  return { seconds, torn: Math.abs(rows - positions) };
}

async function endToEnd({ say, report }) {
  const topics = await newTopics('bench-worker');
  await filledDatabase(say);
  await fillTopic(topics, say);
  const runs = [];
  for (let round = 1; round <= endToEndRounds; round++) {
    runs.push(await drain(topics, round));
    say(`  round ${round}: ${Math.round(runs.at(-1).rate)} users/s, ${runs.at(-1).cpu.toFixed(0)} us CPU each, ${runs.at(-1).memory.toFixed(0)} MiB`);
  }
  const memory = Math.max(...runs.map((one) => one.memory));
  report({ what: `worker: ${records} records from Kafka into a site of ${usersThere} users, users/s`, text: spread(runs.map((one) => one.rate)), note: 'first to last commit' });
  report({ what: 'worker: CPU per record, µs', text: spread(runs.map((one) => one.cpu), 0), note: 'start-up included' });
  report({ what: 'worker: most resident memory, MiB', value: memory, text: memory.toFixed(1), target: '≤ 128', reached: (value) => value <= 128 });
  const ready = runs.map((one) => one.ready);
  report({ what: 'worker: start to ready, s', value: median(ready), text: spread(ready, 3), target: '≤ 1', reached: (value) => value <= 1 });

  say('worker: stopped in the middle of a backlog');
  const stops = [];
  for (let round = 1; round <= stopRounds; round++) stops.push(await stopUnderLoad(topics, round));
  const seconds = stops.map((one) => one.seconds);
  report({ what: 'worker: SIGTERM to exit with a backlog, s', value: Math.max(...seconds), text: spread(seconds, 2), target: '≤ 9', reached: (value) => value <= 9 });
  const torn = stops.reduce((sum, one) => sum + one.torn, 0);
  report({ what: 'worker: rows without their position, or the reverse', value: torn, text: String(torn), target: '0', reached: (value) => value === 0 });
}

export async function workerPart(tools) {
  await inProcess(tools);
  await endToEnd(tools);
}
