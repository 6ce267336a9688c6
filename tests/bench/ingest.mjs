// Part 1: how many webhooks per second clerk-ingest accepts from 64 connections until Kafka has them, and the cost of
// each; beside Kafka's own producer, and the cost of HTTP, the signature and the scan alone.
import { brokerConnected, brokerProcess, brokers, cpuSeconds, get, kafkaTool, measure, median, memoryMiB, newTopics, quick, recordsOf, spread, start, startIngest, until, webhookSecret } from './support.mjs';

const connections = 64;
const rounds = quick ? 3 : 5;
const requests = quick ? 20_000 : 100_000;
const stopRounds = quick ? 1 : 3;
const warmUpRecords = 100_000; // a broker that has just started is half as fast as later
const producerWarmUp = 2; // the producer tool gets this many times the records, so that its JIT is warm
const legacyPerSecond = 240; // recorded: the legacy plugin in a Strapi with 1000 users, 16 connections

let series = 1000; // of users; each load has its own

const load = async (port, more) => {
  const [result] = await measure('bench-webhook-load', ['--to', port, '--secret', webhookSecret, '--connections', connections, '--series', ++series, ...more]);
  return result;
};

const acceptedOf = (metrics) => Number(metrics?.match(/outcome="accepted",type="user.created"} (\d+)/)?.[1] ?? 0);

async function loadIngest(ingest, count) {
  const broker = cpuSeconds(brokerProcess);
  const result = await load(ingest.port, ['--requests', count, '--process', ingest.pid]);
  if (result.accepted !== count) throw new Error(`of ${count} webhooks only ${result.accepted} were accepted`);
  return { ...result, brokerCpu: cpuSeconds(brokerProcess) - broker };
}

// Full JIT compilation: the script that runs Kafka's tools selects the quick compiler, which suits short commands only.
async function kafkaProducer(topic, records, bytes) {
  const output = await kafkaTool(
    'producer-perf',
    ['--topic', topic, '--num-records', String(records), '--record-size', String(bytes), '--throughput', '-1', '--producer-props', `bootstrap.servers=${brokers}`, 'acks=all', 'enable.idempotence=true'],
    { _JAVA_OPTIONS: '-XX:TieredStopAtLevel=4' },
  );
  const found = output.match(new RegExp(`^${records} records sent, ([0-9.]+) records/sec`, 'm'));
  if (!found) throw new Error(`unexpected output of producer-perf: ${output.slice(-500)}`);
  return Number(found[1]);
}

async function startEcho() {
  const echo = start('bench-http-echo', []);
  const port = Number(await until(() => echo.log().trim(), { what: 'bench-http-echo listens' }));
  return Object.assign(echo, { port });
}

async function saturate(topics, say) {
  const ingest = await startIngest(topics);
  await brokerConnected(ingest);
  const echo = await startEcho();
  const warm = await loadIngest(ingest, requests); // connections, page faults, and the broker's compiler
  await kafkaProducer(topics.TOPIC_USER_EVENTS, warmUpRecords, warm.body_bytes);
  const taken = [];
  const produced = [];
  const echoed = [];
  for (let round = 1; round <= rounds; round++) {
    const turns = [
      async () => taken.push(await loadIngest(ingest, requests)),
      async () => produced.push(await kafkaProducer(topics.TOPIC_USER_EVENTS, requests * producerWarmUp, warm.body_bytes)),
    ];
    for (const turn of round % 2 === 1 ? turns : turns.reverse()) await turn();
    echoed.push(await load(echo.port, ['--requests', requests, '--process', echo.pid]));
    const last = taken.at(-1);
    say(`  round ${round}: ingest ${Math.round(last.accepted / last.seconds)}/s, ${((last.cpu_s / last.accepted) * 1e6).toFixed(1)} us; producer ${Math.round(produced.at(-1))}/s; echo ${Math.round(requests / echoed.at(-1).seconds)}/s`);
  }
  const memory = { now: memoryMiB(ingest.pid), most: memoryMiB(ingest.pid, 'VmHWM') };
  const counted = acceptedOf(await get(ingest.adminPort, '/metrics'));
  if (counted !== (rounds + 1) * requests) throw new Error(`the metrics count ${counted} accepted webhooks`);
  await ingest.stop();
  echo.child.kill('SIGKILL');
  return { taken, produced, echoed, memory };
}

function reportRates({ taken, produced, echoed, memory }, steps, report) {
  const rate = taken.map((one) => one.accepted / one.seconds);
  const cpu = taken.map((one) => (one.cpu_s / one.accepted) * 1e6);
  const each = (field) => median(taken.map((one) => (one[field] / one.accepted) * 1e6)).toFixed(0);
  report({ what: `ingest: CPU per webhook (${taken[0].body_bytes} bytes, ${connections} connections), µs`, value: median(cpu), text: spread(cpu, 1), target: '≤ 30', reached: (value) => value <= 30 });
  report({ what: 'ingest: webhooks/s', text: spread(rate), note: `CPU per webhook, µs: load generator ${each('own_cpu_s')}, broker ${each('brokerCpu')}` });
  report({ what: "Kafka's producer-perf, same size, topic and acks: records/s", text: spread(produced) });
  const toProducer = rate.map((value, i) => value / produced[i]);
  report({ what: 'ingest / producer-perf', value: median(toProducer), text: spread(toProducer, 2), target: '≥ 0.5', reached: (value) => value >= 0.5, note: quick ? 'the producer is not warm in a short round: the ratio is too high' : undefined });
  const toLegacy = rate.map((value) => value / legacyPerSecond);
  report({ what: `ingest / legacy plugin (recorded: ${legacyPerSecond}/s)`, value: median(toLegacy), text: spread(toLegacy), target: '≥ 40', reached: (value) => value >= 40 });
  report({ what: 'ingest: response time at this load, ms', text: `p50 ${median(taken.map((one) => one.p50_ms)).toFixed(2)}, p99 ${median(taken.map((one) => one.p99_ms)).toFixed(2)}` });
  report({ what: 'ingest: resident memory, MiB', value: memory.now, text: `${memory.now.toFixed(1)} (most: ${memory.most.toFixed(1)})`, target: '≤ 64', reached: (value) => value <= 64 });
  report({ what: 'limit: HTTP only, same server and requests: responses/s', text: spread(echoed.map((one) => one.accepted / one.seconds)), note: `${spread(echoed.map((one) => (one.cpu_s / one.accepted) * 1e6), 1)} µs CPU each` });
  for (const [field, name] of [['hmac_us', 'HMAC-SHA256 of a body'], ['scan_us', 'scan_envelope of a body']]) {
    report({ what: `limit: ${name}, one core, µs`, text: spread(steps.map((one) => one[field]), 2), note: `${Math.round(1e6 / median(steps.map((one) => one[field]))).toLocaleString('en').replaceAll(',', ' ')}/s` });
  }
}

// Webhooks arrive at a sustainable rate, also while ingest stops. Each webhook with a 200 must be in
// the topic.
async function stopUnderLoad(topics, say) {
  const seconds = [];
  const lost = [];
  for (let round = 1; round <= stopRounds; round++) {
    const before = await recordsOf(topics.TOPIC_USER_EVENTS);
    const ingest = await startIngest(topics);
    await brokerConnected(ingest);
    const loading = load(ingest.port, ['--requests', 30_000, '--rate', 3_000, '--until-refused']);
    await until(async () => acceptedOf(await get(ingest.adminPort, '/metrics')) > 3_000, { what: 'ingest under load' });
    seconds.push(await ingest.stop());
    const result = await loading;
    lost.push(Math.max(0, result.accepted - ((await recordsOf(topics.TOPIC_USER_EVENTS)) - before)));
    say(`  stop ${round}: ${seconds.at(-1).toFixed(2)} s, ${result.accepted} accepted, ${lost.at(-1)} of them lost, ${result.otherwise + result.unanswered} not accepted`);
  }
  return { seconds, lost };
}

export async function ingestPart({ say, report }) {
  say('ingest: topics, and what single steps cost');
  const topics = await newTopics('bench-ingest');
  const steps = await measure('bench-limits', []);
  const starts = [];
  for (let round = 0; round < 5; round++) {
    const ingest = await startIngest(topics);
    starts.push(ingest.readySeconds);
    ingest.child.kill('SIGKILL');
    await ingest.exited;
  }
  say(`ingest: ${rounds} rounds of ${requests} webhooks`);
  reportRates(await saturate(topics, say), steps, report);
  report({ what: 'ingest: start to ready, s', value: median(starts), text: spread(starts, 3), target: '≤ 1', reached: (value) => value <= 1 });
  const stops = await stopUnderLoad(topics, say);
  report({ what: 'ingest: SIGTERM to exit at 3 000 webhooks/s, s', value: Math.max(...stops.seconds), text: spread(stops.seconds, 2), target: '≤ 9', reached: (value) => value <= 9 });
  const lost = stops.lost.reduce((sum, one) => sum + one, 0);
  report({ what: 'ingest: 200 during the stop, but not in Kafka', value: lost, text: String(lost), target: '0', reached: (value) => value === 0 });
}
