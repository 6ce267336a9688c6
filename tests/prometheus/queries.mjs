// The queries of deploy/prometheus and deploy/grafana: rules, queries of panels, and the metrics and label values
// that each of them names. The YAML is read line by line, in the one form in which we write it; promtool reads it fully.

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const read = (file) => readFileSync(path.join(repository, file), 'utf8');
export const ruleFiles = ['deploy/prometheus/alerts.yaml', 'deploy/prometheus/recording.yaml'];

// The path of promtool, or why it is not available.
export function findPromtool() {
  try {
    return { promtool: execFileSync(path.join(repository, 'tests/tools/promtool'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim() };
  } catch (error) {
    return { reason: String(error.stderr || error.message).trim().split('\n').at(-1) };
  }
}

// {ok, output}
export function runPromtool(promtool, args, input) {
  const done = spawnSync(promtool, args, { encoding: 'utf8', input, cwd: repository, timeout: 250_000 });
  return { ok: done.status === 0, output: `${done.stdout}${done.stderr}${done.error ?? ''}`.trim() };
}

// Every rule: {kind: alert or record, name, expr, text}.
export function readRules(files = ruleFiles) {
  return files.flatMap((file) =>
    read(file).split(/^ {6}- (?=alert: |record: )/m).slice(1).map((text) => {
      const [, kind, name] = /^(alert|record): (\S+)$/m.exec(text);
      const [, block, line] = /^ {8}expr: (?:\|\n((?: {10}.*\n)+)|(.+)$)/m.exec(text);
      return { kind, name, text, file, expr: (block ?? line).replace(/^ {10}/gm, '').trim() };
    }),
  );
}

export const readDashboard = () => JSON.parse(read('deploy/grafana/clerk-strapi-sync.json'));

// Every query of a dashboard: {panel, expr}, with Grafana's own variables replaced by values.
export function dashboardQueries(dashboard) {
  return dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      expr: expr.replaceAll('$__rate_interval', '5m').replace(/\$(namespace|job)\b/g, '.*'),
    })),
  );
}

const words = new Set(['and', 'or', 'unless', 'offset', 'bool', 'by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'inf', 'nan']);
const matcher = /(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g;

// The selectors of an expression: {metric, matchers: [{label, operator, value}]}.
export function selectorsOf(expr) {
  const bare = expr.replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ').replace(/\[[^\]]*\]/g, ' ');
  return [...bare.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)\s*(\(|\{([^}]*)\})?/g)]
    .filter(([, name, opening]) => opening !== '(' && !words.has(name.toLowerCase()))
    .map(([, metric, , labels = '']) => ({
      metric,
      matchers: [...labels.matchAll(matcher)].map(([, label, operator, value]) => ({ label, operator, value })),
    }));
}

// Labels that Prometheus itself adds to what it scrapes.
const labelsOfTargets = new Set(['job', 'instance', 'namespace']);
// Series that Prometheus itself creates.
const ofPrometheus = new Set(['up']);

// The series of a page in Prometheus' text format: [{name, labels}].
export function seriesOf(page) {
  return page.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
    const [, name, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /.exec(line);
    return { name, labels: Object.fromEntries([...labels.matchAll(matcher)].map(([, label, , value]) => [label, value])) };
  });
}

// What an expression names and no program exposes; empty when it is right. `recorded` are names of recording rules.
export function faultsOf(expr, series, recorded) {
  const faults = [];
  for (const { metric, matchers } of selectorsOf(expr)) {
    if (ofPrometheus.has(metric) || recorded.has(metric)) continue;
    const own = series.filter(({ name }) => name === metric);
    if (own.length === 0) {
      faults.push(`${metric} is not exposed`);
      continue;
    }
    for (const { label, operator, value } of matchers.filter((one) => !labelsOfTargets.has(one.label))) {
      const values = new Set(own.map(({ labels }) => labels[label]));
      const listed = operator.endsWith('~') && /^[\w|-]+$/.test(value) ? value.split('|') : null;
      const wanted = operator.endsWith('~') ? (listed ?? [value]).map((each) => new RegExp(`^(?:${each})$`)) : [{ source: value, test: (text) => text === value }];
      for (const each of wanted) {
        if (![...values].some((text) => text !== undefined && each.test(text))) faults.push(`no series of ${metric} has ${label} ${each.source}: it has ${[...values].join(', ')}`);
      }
    }
    for (const by of labelsNamed(expr)) {
      if (!labelsOfTargets.has(by) && by !== 'le' && !series.some(({ labels }) => by in labels)) faults.push(`no series has a label ${by}`);
    }
  }
  return faults;
}

const labelsNamed = (expr) => [...expr.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g)].flatMap(([, list]) => list.split(',').map((one) => one.trim()).filter(Boolean));
