// The programs' logs as a log collector reads them: one JSON object per line, with keys of a closed list.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repository, waitFor } from './support.mjs';

// Whole lines only: the last one may be incomplete.
const wholeLines = (program) => program.log().split('\n').slice(0, -1);

export const linesOf = (program) => wholeLines(program).map((line) => JSON.parse(line));

const fits = (line, wanted) => Object.entries(wanted).every(([key, value]) => (value instanceof RegExp ? value.test(line[key]) : line[key] === value));
export const findLine = (program, wanted) => linesOf(program).find((line) => fits(line, wanted));
export const lineComes = (program, wanted, deadlineMs = 15_000) =>
  waitFor(() => findLine(program, wanted), { what: `a line ${JSON.stringify(wanted, (_, value) => (value instanceof RegExp ? String(value) : value))} of ${program.name}`, deadlineMs });

// The keys that common/log/README.md lists, in the first column of its table of keys.
export function documentedKeys() {
  const text = readFileSync(path.join(repository, 'common/log/README.md'), 'utf8');
  const table = text.slice(text.indexOf('## Keys of a log line'));
  return new Set([...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`(\w+)`/g)].map(([, key]) => key)));
}

// Every line is one JSON object, has the required keys, and no key that is not listed.
export function assertWellFormed(program) {
  const known = documentedKeys();
  for (const text of wholeLines(program)) {
    let line;
    assert.doesNotThrow(() => (line = JSON.parse(text)), `not JSON: ${text}`);
    assert.match(line.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, text);
    assert.ok(['debug', 'info', 'warning', 'error'].includes(line.level), text);
    assert.equal(line.program, program.name, text);
    assert.match(line.version, /^\d+\.\d+\.\d+/, text);
    assert.ok(line.msg, text);
    for (const [key, value] of Object.entries(line)) {
      assert.ok(known.has(key), `${key} is not in the table of common/log/README.md: ${text}`);
      assert.notEqual(typeof value, 'object', text);
    }
  }
}

// None of the forbidden texts, in any case and in any encoding that the programs use.
export function assertWithout(text, secrets, where) {
  const lower = text.toLowerCase();
  const forms = (secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1)];
  for (const secret of secrets) {
    assert.ok(secret.length > 3, `"${secret}" is too short to be looked for`);
    for (const form of forms(secret)) {
      const at = lower.indexOf(form.toLowerCase());
      assert.equal(at, -1, `${where} contains ${secret}: ${at < 0 ? '' : text.slice(Math.max(0, at - 200), at + 200)}`);
    }
  }
}
