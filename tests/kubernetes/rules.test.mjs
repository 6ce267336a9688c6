// needs: nothing
// What a schema cannot express: the rules of pod-rules and network-rules, over each overlay, and over copies with one mistake
// each, so that no rule accepts everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkRules } from './network-rules.mjs';
import { podRules } from './pod-rules.mjs';
import { overlays, render } from './rendered.mjs';

for (const { promise, faults, slips } of [...podRules, ...networkRules]) {
  test(promise, () => {
    for (const overlay of overlays) assert.deepEqual(faults(render(overlay)), [], overlay);
  });
  test(`a violation is found: ${promise}`, () => {
    for (const slip of slips) {
      const objects = render('overlays/production');
      slip(objects);
      assert.notDeepEqual(faults(objects), [], String(slip));
    }
  });
}
