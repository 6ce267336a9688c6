// What ships has no fail points: no environment variable can kill it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { buildFolder, repository } from '../e2e/support.mjs';
import { namesIn, points } from './fail-points.mjs';


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
