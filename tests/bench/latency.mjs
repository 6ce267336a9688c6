// Part 3: from a webhook's 200 to the user's row, with both release programs, at a rate well below saturation.
import { brokerConnected, cpuSeconds, measure, median, newDatabase, newTopics, quick, spread, startIngest, startWorker, webhookSecret } from './support.mjs';
import { filledDatabase, usersThere } from './worker.mjs';

const rate = 200;
const seconds = quick ? 3 : 12;
const rounds = 5;

export async function latencyPart({ say, report }) {
  const topics = await newTopics('bench-latency');
  const url = await newDatabase('bench_latency', { template: await filledDatabase(say) });
  say(`latency: ${rounds} rounds of ${seconds} s at ${rate} webhooks/s`);
  const worker = await startWorker(url, topics, 'bench-latency');
  const ingest = await startIngest(topics);
  await brokerConnected(ingest);
  const load = (series, count, length) =>
    measure('bench-latency', ['--to', ingest.port, '--secret', webhookSecret, '--database', url, '--rate', rate, '--seconds', length, '--rounds', count, '--series', series]);
  await load(8_000, 1, 1); // the group's first assignment, statements, connections
  const before = { ingest: cpuSeconds(ingest.pid), worker: cpuSeconds(worker.pid) };
  const lines = await load(8_001, rounds, seconds);
  const webhooks = lines.reduce((sum, one) => sum + one.webhooks, 0);
  const cpu = (one, name) => (((cpuSeconds(one.pid) - before[name]) / webhooks) * 1e6).toFixed(0);
  const used = `CPU µs a webhook at this rate: ingest ${cpu(ingest, 'ingest')}, worker ${cpu(worker, 'worker')}`;
  await ingest.stop();
  await worker.stop();

  const of = (field) => lines.map((one) => one[field]);
  report({ what: `webhook accepted → row visible at ${rate}/s, ${usersThere} users, p50, ms`, value: median(of('p50_ms')), text: spread(of('p50_ms'), 1), target: '≤ 20', reached: (value) => value <= 20 });
  report({ what: 'the same, p99, ms', value: median(of('p99_ms')), text: spread(of('p99_ms'), 1), target: '≤ 100', reached: (value) => value <= 100 });
  report({ what: 'the same, longest, ms', text: spread(of('max_ms'), 1), note: used });
  report({ what: 'webhook sent → response at this rate, ms', text: `p50 ${median(of('answer_p50_ms')).toFixed(2)}, p99 ${median(of('answer_p99_ms')).toFixed(2)}` });
  const missing = of('missing').reduce((sum, one) => sum + one, 0);
  report({ what: 'accepted, but no row within 20 s', value: missing, text: String(missing), target: '0', reached: (value) => value === 0 });
}
