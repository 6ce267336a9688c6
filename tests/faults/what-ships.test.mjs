// needs: database
// What ships has no fail points: no environment variable can kill it. And it is hardened as SECURITY.md says.

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

test('the programs that are released hold neither the name of a fail point nor the variable that sets them off', () => {
  assert.ok(points.length >= 10, `${points.length} points in the sources`);
  assert.deepEqual(namesIn(buildFolder), []);
});

test('the presets: fail points where tests want them, off by default, never in release', () => {
  const { configurePresets } = JSON.parse(readFileSync(path.join(repository, 'CMakePresets.json'), 'utf8'));
  const withPoints = configurePresets.filter((preset) => preset.cacheVariables?.FAIL_POINTS === 'ON').map((preset) => preset.name);
  assert.deepEqual(withPoints.sort(), ['dev', 'faults']);
  assert.match(readFileSync(path.join(repository, 'CMakeLists.txt'), 'utf8'), /option\(FAIL_POINTS "[^"]*" OFF\)/);
});

for (const program of programs) {
  test(`${path.basename(program)} can be loaded anywhere, and nothing that is executed can be written`, () => {
    const told = readelf('--file-header', '--program-headers', '--dynamic', program);
    assert.match(told, /Type:\s+DYN \(Position-Independent Executable/);
    assert.match(told, /FLAGS_1\)\s+Flags:.*\bNOW\b.*\bPIE\b/, 'every address is bound before the first line runs');
    assert.match(told, /^\s*GNU_RELRO /m, 'and cannot be changed afterwards');
    const segments = [...told.matchAll(/^\s*(LOAD|GNU_STACK)(?:\s+0x[0-9a-f]+){5}\s+([RWE ]{3})/gm)];
    assert.deepEqual(segments.filter(([, , rights]) => /W.*E/.test(rights)).map(([line]) => line), []);
    assert.ok(segments.some(([, kind]) => kind === 'GNU_STACK') && segments.length >= 4, told);
    assert.doesNotMatch(told, /\((RPATH|RUNPATH|TEXTREL)\)/, 'libraries come from the system alone');
  });

  test(`${path.basename(program)} checks its stack frames and the sizes of what it copies`, () => {
    const imported = readelf('--dyn-syms', program);
    assert.match(imported, / __stack_chk_fail@/);
    assert.match(imported, / __memcpy_chk@/, '_FORTIFY_SOURCE');
  });
}

// The programs themselves do not carry the mark: Debian's start-up objects have none, and a linker keeps what all have.
test('every object of ours takes indirect jumps and returns only where they belong', { skip: process.arch !== 'x64' && 'CET is x86' }, () => {
  assert.ok(archives.length >= 8, `${archives.length} libraries in ${buildFolder}`);
  for (const archive of archives) {
    const objects = readelf('--notes', archive).split(/^File: /m).slice(1);
    assert.ok(objects.length > 0, archive);
    for (const object of objects) assert.match(object, /x86 feature: IBT, SHSTK/, object.split('\n')[0]);
  }
});
