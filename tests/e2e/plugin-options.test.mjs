// needs: database
// The plugin's options: a fault is reported at start, with its fix. No Strapi runs here; it shows what the
// plugin throws, after "Error regarding clerk-sync config: ".

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const require = createRequire(import.meta.url);
const { createImpersonationRule } = require('../../deploy/strapi-plugin/server/impersonation.js');
const { defaults, describe, validate } = require('../../deploy/strapi-plugin/server/options.js');

const withDefaults = (options = {}, variables = { CLERK_INGEST_URL: 'http://ingest:8080' }) => ({ ...defaults({ env: (name) => variables[name] }), ...options });

test('options: the address of ingest is the only required option, by variable or by option', () => {
  validate(withDefaults());
  validate(withDefaults({ ingestUrl: 'https://ingest.example.com/behind/a/path/' }, {}));
  assert.throws(() => validate(withDefaults({}, {})), /^Error: ingestUrl is missing: set it, or CLERK_INGEST_URL, to the address of clerk-ingest/);
  assert.throws(() => validate(withDefaults({}, { CLERK_INGEST_URL: '' })), /ingestUrl is missing/);
});

test('options: by default no user changes their row or signs in locally', () => {
  const { ownerMayUpdate, allowLocalLogin, timeoutMs, abilityCacheMs } = withDefaults();
  assert.deepEqual({ ownerMayUpdate, allowLocalLogin, timeoutMs, abilityCacheMs }, { ownerMayUpdate: [], allowLocalLogin: false, timeoutMs: 5000, abilityCacheMs: 1000 });
});

for (const [what, options, message] of [
  ['an unknown option', { ingestURL: 'x' }, /there is no option ingestURL; the options are ingestUrl, timeoutMs, ownerMayUpdate, allowLocalLogin, abilityCacheMs, noImpersonation/],
  ['an address without scheme', { ingestUrl: 'ingest:8080' }, /ingestUrl must be an http or https address/],
  ['another scheme', { ingestUrl: 'ftp://ingest' }, /ingestUrl must be an http or https address/],
  ['a number as address', { ingestUrl: 8080 }, /ingestUrl must be an http or https address/],
  ['a password in the address', { ingestUrl: 'http://a:b@ingest' }, /must not carry a user name or a password/],
  ['a query in the address', { ingestUrl: 'http://ingest/?a=b' }, /must end with its path/],
  ['a deadline as text', { timeoutMs: '5000' }, /timeoutMs must be a whole number from 100 to 60000/],
  ['no deadline', { timeoutMs: 0 }, /timeoutMs must be a whole number/],
  ['an age that never ends', { abilityCacheMs: Infinity }, /abilityCacheMs must be a whole number from 0 to 60000/],
  ['a switch as text', { allowLocalLogin: 'false' }, /allowLocalLogin must be true or false/],
  ['one field instead of a list', { ownerMayUpdate: 'nickname' }, /ownerMayUpdate must be a list of fields/],
  ['an empty field', { ownerMayUpdate: [''] }, /ownerMayUpdate must be a list of fields/],
  ['one closed path instead of a list', { noImpersonation: '/api/orders' }, /noImpersonation must be a list of paths, such as \['\/api\/orders'\]/],
])
  test(`options: the site does not start with ${what}, and names the fault`, () => assert.throws(() => validate(withDefaults(options)), message));

test('options: no site can let users write identity or administrator fields', () => {
  const never = [
    'id', 'documentId', 'clerkId', 'email', 'username', 'password', 'provider', 'confirmed', 'blocked', 'role', 'resetPasswordToken', 'confirmationToken',
    'createdAt', 'updatedAt', 'publishedAt', 'createdBy', 'updatedBy', 'locale',
  ];
  for (const key of never) assert.throws(() => validate(withDefaults({ ownerMayUpdate: ['nickname', key] })), new RegExp(`ownerMayUpdate must not list ${key}:`));
  validate(withDefaults({ ownerMayUpdate: ['nickname', 'fullName'] }));
});

test('options: a path that closes less than intended stops the start and is named [B14]', () => {
  for (const entry of ['api/orders', '', 'https://h/api', '/api/*', '**', '/api?x', '/api/../b', '/api/./b', '/a%2fb', '/a%252f', '/a;b', '/a%3bb', '/a#b', '/a b', '/é', '/%zz', '/\\x', 7, null]) {
    assert.throws(
      () => validate(withDefaults({ noImpersonation: ['/api/good', entry] })),
      (error) => error.message === `noImpersonation must list plain paths that begin with a slash, or '*' alone, but contains ${JSON.stringify(entry)}`,
      String(entry),
    );
  }
  assert.throws(() => validate(withDefaults({ noImpersonation: ['*', '/api'] })), /'\*' alone, but contains "\*"$/);
  for (const good of [[], ['*'], ['/'], ['/api/orders', '/API/m%65/']]) validate(withDefaults({ noImpersonation: good }));
});

test('options: a path closes itself and everything below it, in every spelling [B14]', () => {
  const isClosed = createImpersonationRule(['/api/orders', '//API/m%65/']);
  for (const path of ['/api/orders', '/api/orders/', '/api/orders/7', '/Api//ORDERS', '/api/%6frders', '/api/%4Frders', '/api/me', '/api/me/x', '/api/orders%2f7', '/api/x/../orders', '/api/orders;x', '/api/%', '*', undefined])
    assert.equal(isClosed(path), true, path);
  for (const path of ['/', '/api', '/api/orders2', '/api/order', '/orders', '/x/api/orders', '/api/meet', '/api/%C3%A9']) assert.equal(isClosed(path), false, path);
  for (const all of ['*', '/']) for (const path of ['/', '/api/x', '/api/../x']) assert.equal(createImpersonationRule([all])(path), true, `${all} ${path}`);
  for (const path of ['/api/orders', '/api/../x']) assert.equal(createImpersonationRule([])(path), false, path);
});

test('options: all faults are reported at once', () => {
  assert.throws(() => validate(withDefaults({ timeoutMs: -1, allowLocalLogin: 1, speed: 9 })), /no option speed.*timeoutMs must.*allowLocalLogin must/);
});

test('options: the line at start lists what is open', () => {
  assert.match(describe(withDefaults({ ownerMayUpdate: ['nickname'] })), /clerk-ingest at http:\/\/ingest:8080 verifies Clerk's tokens, local login is closed, a user may update nickname of their own row$/);
  assert.match(describe(withDefaults({ noImpersonation: ['/api/orders'] })), /, impersonation is rejected on \/api\/orders$/);
});
