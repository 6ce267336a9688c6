// needs: database
// Released programs have no fail points: no environment variable can kill them. And they are hardened as in SECURITY.md.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { buildFolder, repository } from '../e2e/support.mjs';
import { namesIn, points } from './fail-points.mjs';

const readelf = (...args) => execFileSync('readelf', ['--wide', ...args], { encoding: 'utf8', maxBuffer: 64 << 20 });
const programs = ['clerk-ingest', 'clerk-worker'].map((name) => path.join(buildFolder, 'bin', name));
const archives = readdirSync(buildFolder, { recursive: true })
  .filter((file) => /^(common|ingest|worker)\/.*\.a$/.test(file))
  .map((file) => path.join(buildFolder, file));

test("release: programs contain neither a fail point's name nor the variable that enables it", () => {
  assert.ok(points.length >= 10, `${points.length} points in the sources`);
  assert.deepEqual(namesIn(buildFolder), []);
});

test('presets: fail points are off by default, on for tests, never in release', () => {
  const { configurePresets } = JSON.parse(readFileSync(path.join(repository, 'CMakePresets.json'), 'utf8'));
  const withPoints = configurePresets.filter((preset) => preset.cacheVariables?.FAIL_POINTS === 'ON').map((preset) => preset.name);
  assert.deepEqual(withPoints.sort(), ['dev', 'faults']);
  assert.match(readFileSync(path.join(repository, 'CMakeLists.txt'), 'utf8'), /option\(FAIL_POINTS "[^"]*" OFF\)/);
});

for (const program of programs) {
  test(`${path.basename(program)}: is position-independent, no writable memory is executable`, () => {
    const headers = readelf('--file-header', '--program-headers', '--dynamic', program);
    assert.match(headers, /Type:\s+DYN \(Position-Independent Executable/);
    assert.match(headers, /FLAGS_1\)\s+Flags:.*\bNOW\b.*\bPIE\b/, 'every address is bound before the first line runs');
    assert.match(headers, /^\s*GNU_RELRO /m, 'and cannot be changed afterwards');
    const segments = [...headers.matchAll(/^\s*(LOAD|GNU_STACK)(?:\s+0x[0-9a-f]+){5}\s+([RWE ]{3})/gm)];
    assert.deepEqual(segments.filter(([, , rights]) => /W.*E/.test(rights)).map(([line]) => line), []);
    assert.ok(segments.some(([, kind]) => kind === 'GNU_STACK') && segments.length >= 4, headers);
    assert.doesNotMatch(headers, /\((RPATH|RUNPATH|TEXTREL)\)/, 'libraries come from the system alone');
  });

  test(`${path.basename(program)}: checks its stack frames and the sizes of copies`, () => {
    const imported = readelf('--dyn-syms', program);
    assert.match(imported, / __stack_chk_fail@/);
    assert.match(imported, / __memcpy_chk@/, '_FORTIFY_SOURCE');
  });
}

// The programs themselves lack the mark: Debian's start-up objects have none, and the linker keeps only what all objects have.
test("release: every object of ours has CET's indirect-jump and return checks", { skip: process.arch !== 'x64' && 'CET is x86' }, () => {
  assert.ok(archives.length >= 8, `${archives.length} libraries in ${buildFolder}`);
  for (const archive of archives) {
    const objects = readelf('--notes', archive).split(/^File: /m).slice(1);
    assert.ok(objects.length > 0, archive);
    for (const object of objects) assert.match(object, /x86 feature: IBT, SHSTK/, object.split('\n')[0]);
  }
});
