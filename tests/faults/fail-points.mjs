// The names of the fail points, and which of them a build's programs contain.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repository } from '../e2e/support.mjs';

const source = readFileSync(path.join(repository, 'common/process/fail_point.cpp'), 'utf8');
export const points = [...source.matchAll(/named_point\{fail_at::\w+, "([a-z_.]+)"\}/g)].map(([, name]) => name);

export function namesIn(build) {
  const programs = ['clerk-ingest', 'clerk-worker'].map((program) => readFileSync(path.join(build, 'bin', program)));
  return ['CLERK_FAIL_POINTS', ...points].filter((name) => programs.some((bytes) => bytes.includes(name)));
}

// A build that has them: the quick one, else the one with sanitizers.
export const buildWithPoints = ['faults', 'dev'].map((preset) => path.join(repository, 'build', preset)).find((folder) => existsSync(path.join(folder, 'bin/clerk-worker')));
