// Part 5: the long commands. A replay of everything Kafka has onto emptied tables, and a backfill of all users from a
// stand-in for Clerk's API: their speed, beside the worker's with the same rows, and their memory over time.
import http from 'node:http';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brokerConnected, measure, median, memoryMiB, newDatabase, newTopics, profileType, quick, recordsOf, repository, sql, start, startIngest, webhookSecret } from './support.mjs';
import { filledDatabase, usersThere } from './worker.mjs';

const events = quick ? 50_000 : 1_000_000;
const imported = quick ? 20_000 : 100_000;
const aSeries = 100_000; // of users; a load makes its requests beforehand
const pageUsers = 500;
const sampleMs = 250;
const secretKey = 'sk_test_benchmark0123456789';
const instance = 'ins_2bench';

// Runs a command of the worker to its end, with its resident memory over time.
async function runMeasured(args, environment) {
  const one = start('clerk-worker', args, environment);
  const begun = performance.now();
  const memory = [];
  const sample = () => {
    try {
      memory.push({ s: (performance.now() - begun) / 1000, mib: memoryMiB(one.pid) });
    } catch {} // it has just ended
  };
  const timer = setInterval(sample, sampleMs);
  const end = await one.exited;
  clearInterval(timer);
  if (end.code !== 0) throw new Error(`clerk-worker ${args.join(' ')} ended with ${end.code ?? end.signal}\n${one.log().slice(-2000)}`);
  return { seconds: (end.at - begun) / 1000, memory, log: one.log() };
}

// The worker's own rate on this machine, in this run.
async function workerRate(say) {
  const url = await newDatabase('bench_replay_base', { template: await filledDatabase(say) });
  const lines = await measure('bench-store', ['--database', url, '--fill', usersThere, '--rounds', 3, '--users', quick ? 5_000 : 10_000]);
  await sql('postgres', 'drop database bench_replay_base');
  return median(lines.filter((one) => one.what === 'new' && one.by === 'store').map((one) => one.users / one.seconds));
}

async function fillTopic(topics) {
  const ingest = await startIngest(topics);
  await brokerConnected(ingest);
  for (let sent = 0, series = 9_000; sent < events; sent += aSeries, series++) {
    const count = Math.min(aSeries, events - sent);
    const [result] = await measure('bench-webhook-load', ['--to', ingest.port, '--secret', webhookSecret, '--series', series, '--requests', count]);
    if (result.accepted !== count) throw new Error(`only ${result.accepted} of ${count} webhooks were accepted`);
  }
  await ingest.stop();
}

async function replay({ say, report }) {
  const base = await workerRate(say);
  const topics = await newTopics('bench-replay');
  say(`operators: ${events} webhooks through ingest`);
  await fillTopic(topics);
  const url = await newDatabase('bench_replay');
  say('operators: replay onto emptied tables');
  const taken = await runMeasured(['replay', '--from', 'beginning', '--json'], { ...topics, KAFKA_BROKERS: process.env.BENCH_KAFKA_BROKERS, DATABASE_URL: url, STRAPI_PROFILE_CONTENT_TYPES: profileType });
  const there = Number(await sql('bench_replay', 'select count(*) from up_users'));
  if (there !== events) throw new Error(`${there} users after the replay of ${events} events`);
  await sql('postgres', 'drop database bench_replay');

  const rate = events / taken.seconds;
  const at = (part) => taken.memory[Math.floor((taken.memory.length - 1) * part)].mib;
  const most = Math.max(...taken.memory.map((one) => one.mib));
  report({ what: `replay: ${events} events onto empty tables, events/s`, text: Math.round(rate).toLocaleString('en').replaceAll(',', ' '), note: `${taken.seconds.toFixed(0)} s, start and end included` });
  report({ what: `replay / worker with new users (${Math.round(base)}/s in this run)`, value: rate / base, text: (rate / base).toFixed(2), target: '≥ 0.9', reached: (value) => value >= 0.9 });
  report({ what: 'replay: resident memory at the end / at 10 %', value: at(1) / at(0.1), text: `${(at(1) / at(0.1)).toFixed(2)} (${at(0.1).toFixed(1)} to ${at(1).toFixed(1)} MiB, most ${most.toFixed(1)})`, target: '≤ 1.1', reached: (value) => value <= 1.1 });
  return taken.memory;
}

// --- Clerk's API, as far as backfill uses it

const idOf = (number) => `user_2bench${String(number).padStart(8, '0')}`;
const note = 'x'.repeat(1500); // users of about 2.5 KB, as Clerk's are
const createdAt = (number) => 1_700_000_000_000 + number;

const userOf = (number) => ({
  id: idOf(number), object: 'user', username: `bench${number}`, first_name: 'Ada', last_name: `Number ${number}`,
  primary_email_address_id: 'idn_1', email_addresses: [{ id: 'idn_1', object: 'email_address', email_address: `bench${number}@example.com`, verification: { status: 'verified', strategy: 'email_code' }, linked_to: [] }],
  phone_numbers: [], external_accounts: [], public_metadata: {}, private_metadata: { note }, unsafe_metadata: {}, banned: false,
  created_at: createdAt(number), updated_at: createdAt(number),
});

function answerTo(url) {
  if (url.pathname === '/v1/instance') return { object: 'instance', id: instance, environment_type: 'development' };
  if (url.pathname !== '/v1/users') return null;
  if (url.searchParams.get('order_by') !== '+created_at') return [userOf(imported - 1)]; // no user changed meanwhile
  const after = url.searchParams.get('starting_after');
  const first = after === null ? 0 : Number(after.slice(idOf(0).length - 8)) + 1;
  const count = Math.min(Number(url.searchParams.get('limit')), imported - first);
  return Array.from({ length: Math.max(0, count) }, (_, i) => userOf(first + i));
}

async function startClerk() {
  const server = http.createServer((request, response) => {
    const found = answerTo(new URL(request.url, 'http://clerk'));
    const body = JSON.stringify(found ?? { errors: [] });
    response.writeHead(found === null ? 404 : 200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}

async function backfill({ say, report }) {
  const [topics, clerk, url] = [await newTopics('bench-backfill'), await startClerk(), await newDatabase('bench_backfill')];
  say(`operators: backfill of ${imported} users`);
  const taken = await runMeasured(['backfill', '--rate', '100', '--json'], {
    ...topics, KAFKA_BROKERS: process.env.BENCH_KAFKA_BROKERS, DATABASE_URL: url, CLERK_API_URL: clerk.url, CLERK_SECRET_KEY: secretKey, CLERK_INSTANCE_IDS: instance,
  });
  await clerk.stop();
  const published = await recordsOf(topics.TOPIC_SNAPSHOTS);
  if (published < imported) throw new Error(`only ${published} of ${imported} users were published`);
  await sql('postgres', 'drop database bench_backfill');
  const requests = imported / pageUsers;
  report({ what: `backfill: ${imported} users of 2.5 KB, users/s`, text: Math.round(imported / taken.seconds).toLocaleString('en').replaceAll(',', ' '), note: `${taken.seconds.toFixed(1)} s for ${requests} pages at --rate 100; Clerk's limit for production keys allows 100 requests/s, the default of 20/s would take ${(requests / 20).toFixed(0)} s` });
  report({ what: 'backfill: most resident memory, MiB', value: Math.max(...taken.memory.map((one) => one.mib)), text: Math.max(...taken.memory.map((one) => one.mib)).toFixed(1), target: '≤ 128', reached: (value) => value <= 128 });
  return taken.memory;
}

// --- the picture

const width = 720;
const height = 260;
const edge = { left: 46, right: 16, top: 28, bottom: 34 };

function line(samples, seconds, mib, colour) {
  const x = (s) => edge.left + (s / seconds) * (width - edge.left - edge.right);
  const y = (m) => height - edge.bottom - (m / mib) * (height - edge.top - edge.bottom);
  return `<polyline fill="none" stroke="${colour}" stroke-width="1.6" points="${samples.map(({ s, mib: m }) => `${x(s).toFixed(1)},${y(m).toFixed(1)}`).join(' ')}"/>`;
}

function picture(lines) {
  const seconds = Math.max(...lines.flatMap(({ samples }) => samples.map((one) => one.s)));
  const mib = Math.ceil(Math.max(...lines.flatMap(({ samples }) => samples.map((one) => one.mib))) / 16) * 16;
  const text = (x, y, words, anchor = 'start', colour = '#333') => `<text x="${x}" y="${y}" font-family="sans-serif" font-size="11" fill="${colour}" text-anchor="${anchor}">${words}</text>`;
  const bottom = height - edge.bottom;
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const y = bottom - part * (bottom - edge.top);
    const x = edge.left + part * (width - edge.left - edge.right);
    return `<line x1="${edge.left}" y1="${y}" x2="${width - edge.right}" y2="${y}" stroke="#ddd"/>${text(edge.left - 6, y + 4, (part * mib).toFixed(0), 'end')}${text(x, bottom + 16, (part * seconds).toFixed(0), part === 1 ? 'end' : 'middle')}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`, ...marks,
    text(edge.left, 16, 'resident memory, MiB, over seconds'),
    ...lines.map(({ name, samples, colour }, i) => line(samples, seconds, mib, colour) + text(width - edge.right - i * 180, 16, name, 'end', colour)),
    '</svg>', '',
  ].join('\n');
}

export async function operatorsPart(tools) {
  const replayed = await replay(tools);
  const filled = await backfill(tools);
  const file = path.join(repository, quick ? 'build/bench/memory.svg' : 'tests/bench/memory.svg');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, picture([
    { name: `replay of ${events} events`, samples: replayed, colour: '#1f5fa8' },
    { name: `backfill of ${imported} users`, samples: filled, colour: '#b3541e' },
  ]));
  tools.say(`  drawn: ${path.relative(repository, file)}`);
}
