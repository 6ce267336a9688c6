// needs: database
// The demo loads deploy/local/strapi-tables.sql instead of starting Strapi.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { repository } from '../support.mjs';

test('demo: its tables equal those of a real Strapi after the first boot', () => {
  const local = path.join(repository, 'deploy/local');
  const fresh = path.join(process.env.TEST_RUN_DIR, 'strapi-tables.sql');
  execFileSync(path.join(repository, 'tests/tools/dump-strapi-tables'), [fresh]);
  assert.equal(
    readFileSync(path.join(local, 'strapi-tables.sql'), 'utf8'),
    readFileSync(fresh, 'utf8'),
    'deploy/local/strapi-tables.sql is out of date: run tests/tools/dump-strapi-tables',
  );
});
