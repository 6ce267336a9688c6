// needs: database, kafka
// What both programs expose after a little of everything, with real servers: promtool accepts it, and alerts,
// recording rules and the dashboard use only series that exist in such a run.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { dashboardQueries, faultsOf, findPromtool, readDashboard, readRules, runPromtool, seriesOf } from '../prometheus/queries.mjs';
import { pagesOfARun } from './metrics-stage.mjs'; // calls startIngest(), startWorker(), newTopics()

let pages;
let series;
const rules = readRules();
const recorded = new Set(rules.filter(({ kind }) => kind === 'record').map(({ name }) => name));

before(async () => {
  pages = await pagesOfARun();
  series = Object.values(pages).flatMap(seriesOf);
});

test('metrics: promtool finds no fault with either page', (context) => {
  const { promtool, reason } = findPromtool();
  if (!promtool) return context.skip(reason);
  for (const [program, page] of Object.entries(pages)) {
    const { ok, output } = runPromtool(promtool, ['check', 'metrics'], page);
    assert.ok(ok && output === '', `clerk-${program}: ${output}`);
  }
});

// Names and labels are a contract with alerts that others have built; `null`: any value of the site.
const contract = {
  ingest: {
    clerk_ingest_webhooks_total: {
      type: 'user.created|user.updated|user.deleted|other|unknown',
      outcome: 'accepted|ignored|parked|malformed|unauthentic|expired|too_large|shed|unavailable',
    },
    clerk_ingest_publish_seconds_bucket: { le: null },
    clerk_ingest_verify_total: { outcome: 'allowed|anonymous|invalid|expired|forbidden|pending|unavailable' },
    clerk_ingest_verify_seconds_bucket: { le: null },
    clerk_ingest_jwks_refresh_total: { outcome: 'refreshed|unreachable|not_trusted|timed_out|too_large|refused|unexpected|invalid' },
    clerk_ingest_jwks_age_seconds: {},
    clerk_ingest_secret_used_total: { slot: '0|1|2|3|4|5|6|7|8|9' },
    clerk_ingest_http_refused_total: {
      reason: 'bad_request|timeout|too_large|uri_too_long|unsupported_encoding|expectation_failed|headers_too_large|not_implemented|overloaded|internal_error',
    },
    clerk_ingest_dependency_up: { dependency: 'kafka|postgres|clerk' },
    clerk_ingest_build_info: { version: null, commit: null },
    clerk_kafka_brokers_up: { client: 'webhooks|user-provisioning' },
    process_cpu_seconds_total: {},
  },
  worker: {
    clerk_worker_events_total: {
      type: 'user.created|user.updated|user.deleted|user.seen|user.snapshot|other',
      outcome: 'created|adopted|updated|unchanged|duplicate|stale|deleted|parked',
    },
    clerk_worker_apply_seconds_bucket: { le: null },
    clerk_worker_batch_records_bucket: { le: null },
    clerk_worker_lag_records: { topic: null, partition: '0|1|2' },
    clerk_worker_event_age_seconds_bucket: { le: null },
    clerk_worker_dead_letters_total: {
      reason: 'no_value|no_key|bad_headers|unsupported_version|unknown_type|contradictory|bad_time|version_in_future|foreign_instance|refused_by_database'
        + '|not_json|too_deep|duplicate_name|not_an_object|no_type|no_data|no_user_id|bad_user_id|bad_timestamp|bad_instance_id|bad_field',
    },
    clerk_worker_dead_letters_open: {},
    clerk_worker_conflicts_total: { kind: 'email|username', decision: 'placeholder|displaced|healed|linked|not_linked' },
    clerk_worker_truncated_total: { field: 'email|username|full_name' },
    clerk_worker_replaced_total: { field: 'email|username|full_name' },
    clerk_worker_paused: { cause: 'database|schema|dead_letters|poison_storm' },
    clerk_worker_offset_gaps_total: { topic: null, kind: 'truncated|rewound' },
    clerk_worker_build_info: { version: null, commit: null },
    clerk_kafka_brokers_up: { client: 'events|user-provisioning|snapshots|dead-letters' },
    process_cpu_seconds_total: {},
  },
};

for (const [program, names] of Object.entries(contract)) {
  test(`metrics: clerk-${program} exposes every name with every label value from the start`, () => {
    const own = seriesOf(pages[program]);
    for (const [name, labels] of Object.entries(names)) {
      const found = own.filter((one) => one.name === name);
      assert.ok(found.length > 0, `${name} is missing`);
      assert.deepEqual(Object.keys(found[0].labels).sort(), Object.keys(labels).sort(), `labels of ${name}`);
      for (const [label, values] of Object.entries(labels)) {
        if (values !== null) assert.deepEqual([...new Set(found.map((one) => one.labels[label]))].sort(), values.split('|').sort(), `${name}, ${label}`);
      }
    }
    assert.ok(own.length < 300, `${own.length} series are more than an instance should cost`);
  });
}

test('metrics: alerts and recording rules use only exposed names and values', () => {
  for (const { name, expr } of rules) assert.deepEqual(faultsOf(expr, series, recorded), [], name);
});

test('metrics: the dashboard uses only exposed names and values', () => {
  for (const { panel, expr } of dashboardQueries(readDashboard())) assert.deepEqual(faultsOf(expr, series, recorded), [], panel);
});

test('metrics: an expression with an unknown name is detected', () => {
  for (const wrong of [
    'rate(clerk_ingest_webhook_total[5m])',
    'clerk_ingest_webhooks_total{outcome="shedded"}',
    'sum by (cause) (clerk_worker_paused{cause=~"database|shcema"})',
    'sum by (outcomes) (clerk_ingest_verify_total)',
    'clerk:no_such_rule:ratio > 1',
  ]) assert.equal(faultsOf(wrong, series, recorded).length, 1, wrong);
});
