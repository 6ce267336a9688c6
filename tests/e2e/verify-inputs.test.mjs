// needs: database, kafka
// Every kind of session token that must fail, and those that just pass, on the running program: one row each, with the
// exact status and problem, the one counter that increases, the reason in the log, and nothing more (verify-inputs-stage.mjs).

import assert from 'node:assert/strict';
import { constants, createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { exchange } from './exact-answers.mjs';
import { assertWellFormed, assertWithout, findLine, linesOf } from './log-lines.mjs';
import { waitFor } from './support.mjs';
import { issuer, party, raw, rs256, textOf } from './tokens.mjs';
import { // calls startIngest(), newTopics()
  ada, allowed, asked, attacker, bearers, blocked, claims, clerks, forbidden, gone, good, header, httpRefuses, check, key, other, programs, refused,
  runRows, sealed, seconds, stranger, suffix, token, watches, weak, written,
} from './verify-inputs-stage.mjs';
import { Peer } from '../faults/crowd.mjs';

const asIs = (text) => text;
const invalid = refused('token-invalid');
const algorithm = refused('token-invalid-algorithm');
const mismatch = refused('token-type-mismatch');
const unknownKey = refused('jwk-kid-mismatch');
const forged = refused('token-invalid-signature');
const parties = refused('token-invalid-authorized-parties');
const issuers = refused('token-invalid-issuer');
const expired = refused('token-expired', 'expired_token', 'expired');
const missing = refused('session-token-missing', 'missing_token');

// --- keys. First tokens without a usable kid: no cool-down is running that would hide a request to Clerk

const kid = (value, what, expected = unknownKey) => ({ row: 'B4', what: `a kid ${what}`, make: header({ kid: value }), expected });
runRows([
  kid('../../etc/passwd', 'that is a path'),
  kid("' or 1=1; drop table up_users; --", 'that is SQL'),
  kid('', 'that is empty'),
  kid(undefined, 'that is missing'),
  kid(7, 'that is a number', invalid),
  kid('x'.repeat(5000), 'of 5 000 characters'),
  kid('x'.repeat(1 << 20), 'of 1 MiB', httpRefuses(431, 'headers_too_large')),
  { ...kid('../../etc/passwd', 'that is a path, where a PEM is the only key,', allowed()), by: 'pem' },
]);

test('keys: 2 000 unknown key ids at once cost one fetch, good tokens pass among them [B5, I6]', async () => {
  const begun = clerks.network.asked.jwks;
  const { port } = new URL(programs.network.url);
  const peers = Array.from({ length: 8 }, () => new Peer(port));
  const askings = peers.map(async (peer) => {
    for (let i = 0; i < 250; ++i) peer.send(asked(token({}, { kid: `ins_${randomBytes(8).toString('hex')}` }, () => randomBytes(256))));
    peer.send(asked(good()));
    const statuses = [];
    while (statuses.length < 251) statuses.push((await peer.answer()).status);
    return statuses;
  });
  for (const statuses of await Promise.all(askings)) assert.deepEqual(statuses, [...Array(250).fill(401), 200]);
  peers.forEach((peer) => peer.reset());
  assert.equal(clerks.network.asked.jwks, begun + 1);
  const { counters, records } = await watches.network.moved();
  assert.deepEqual(counters, { 'verify_total{outcome="invalid"}': 2000, 'verify_total{outcome="allowed"}': 8, 'jwks_refresh_total{outcome="refreshed"}': 1 });
  assert.deepEqual(records, {});
});

runRows([kid('ins_2unknown', 'that Clerk does not have, within the cool-down,')]);

const attackersJwk = () => stranger.publicKey.export({ format: 'jwk' });
const theirs = rs256(stranger.privateKey);
const pointers = () => ({ jwk: attackersJwk(), jku: attacker.url, x5u: attacker.url, x5c: ['MIIB'] });
for (const name of ['jwk', 'jku', 'x5u', 'x5c'])
  runRows([
    { row: 'B2', what: `${name} beside a good signature is not looked at and`, make: () => token({}, { [name]: pointers()[name] }), expected: allowed(), by: ['network', 'pem'] },
    { row: 'B2', what: `${name} that names the signer's own key`, make: () => token({}, { [name]: pointers()[name] }, theirs), expected: forged, by: ['network', 'pem'] },
    { row: 'B2', what: `${name} beside the signer's own kid`, make: () => token({}, { [name]: pointers()[name], kid: 'ins_2theirs' }, theirs), expected: unknownKey },
  ]);

test('keys: unusable keys are skipped, logged one by one, and counted for the alert [B17]', async () => {
  const sentences = linesOf(programs.weak).filter(({ msg }) => msg === 'a key of the key set is ignored').map(({ why }) => why);
  const expected = weak.flatMap(({ jwks, why }) => jwks.map(() => why));
  assert.equal(sentences.length, expected.length);
  sentences.forEach((sentence, i) => assert.ok(sentence.startsWith(`key ${i + 1} `) && sentence.includes(expected[i]), sentence));
  const gauge = async () => (await programs.weak.metrics()).value('clerk_ingest_jwks_ignored_keys') === expected.length;
  await waitFor(gauge, { what: 'the gauge' }); // set from time to time
});

test('keys: the first token of a skipped key costs one fetch, the next ones none [B4, B17]', async () => {
  const begun = clerks.weak.asked.jwks;
  assert.equal((await exchange(programs.weak, asked(token({}, { kid: weak[0].kid }, weak[0].seal)))).status, 401);
  assert.equal(clerks.weak.asked.jwks, begun + 1);
  await watches.weak.moved();
});

runRows([
  ...weak.map(({ kid: name, what, seal }) => ({ row: 'B17', what: `a token of ${what}`, by: 'weak', make: header({ kid: name }, seal), expected: unknownKey })),
  { row: 'B17', what: 'a token of the good key beside them', by: 'weak', expected: allowed() },
]);

// --- algorithms and headers

const hmac = (secret) => (bytes) => createHmac('sha256', secret).update(bytes).digest();
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING };
const everywhere = ['network', 'pem'];
const alg = (value) => ({ row: 'B1', what: `alg ${JSON.stringify(value) ?? 'missing'}`, make: header({ alg: value }), expected: algorithm, by: everywhere });
runRows([
  ...['none', 'NONE', 'nOnE', 'rs256', 'HS256', 'RS384', 'RS512', 'PS256', 'ES256', '', undefined, null, 5, ['RS256']].map(alg),
  { row: 'B1', what: 'alg none and no signature', make: written((_, __, payload) => `${header({ alg: 'none' })().split('.')[0]}.${payload}.`), expected: invalid },
  { row: 'B1', what: 'HS256 keyed with the PEM', make: header({ alg: 'HS256' }, hmac(key.pem)), expected: algorithm, by: everywhere },
  { row: 'B1', what: "HS256 keyed with the JWK's text", make: header({ alg: 'HS256' }, hmac(JSON.stringify(key.jwk))), expected: algorithm, by: everywhere },
  { row: 'B1', what: 'RS256 by name, HS256 with the PEM by signature', make: header({}, hmac(key.pem)), expected: forged, by: everywhere },
  { row: 'B1', what: 'RS384 by name and signature', make: header({ alg: 'RS384' }, rs256(key.privateKey, 'sha384')), expected: algorithm },
  { row: 'B1', what: 'RS256 by name, RS512 by signature', make: header({}, rs256(key.privateKey, 'sha512')), expected: forged },
  { row: 'B1', what: 'PS256 by name and signature', make: header({ alg: 'PS256' }, rs256(key.privateKey, 'sha256', pss)), expected: algorithm },
  { row: 'B1', what: 'RS256 by name, PS256 by signature', make: header({}, rs256(key.privateKey, 'sha256', pss)), expected: forged },

  ...[['crit', ['exp']], ['crit', []], ['b64', false], ['b64', true], ['zip', 'DEF']].map(([name, value]) =>
    ({ row: 'B3', what: `${name} ${JSON.stringify(value)}`, make: header({ [name]: value }), expected: invalid })),

  { row: 'B6', what: 'padding', make: written((one) => `${one}==`), expected: invalid },
  { row: 'B6', what: 'padding of the payload', make: written((_, a, b, c) => `${a}.${b}=.${c}`), expected: invalid },
  { row: 'B6', what: 'the standard alphabet', make: written((_, a, b, c) => `${a}.${b}.+/${c.slice(2)}`), expected: invalid },
  { row: 'B6', what: 'a spare bit of the signature set', make: written((one) => one.slice(0, -1) + { A: 'B', Q: 'R', g: 'h', w: 'x' }[one.at(-1)]), expected: invalid },
  { row: 'B6', what: 'two parts', make: written((_, a, b) => `${a}.${b}`), expected: invalid },
  { row: 'B6', what: 'four parts', make: written((one) => `${one}.AAAA`), expected: invalid },
  { row: 'B6', what: 'five parts', make: written((one) => `${one}.AAAA.AAAA`), expected: invalid },
  { row: 'B6', what: 'a dot behind it', make: written((one) => `${one}.`), expected: invalid },
  { row: 'B6', what: 'a dot before it', make: written((one) => `.${one}`), expected: invalid },
  { row: 'B6', what: 'a newline behind it, in escapes,', make: written((one) => `${one}%0A`), expected: invalid },
  { row: 'B6', what: 'a newline behind it', make: written((one) => `${one}\n`), expected: httpRefuses(400, 'bad_request') },
  { row: 'B6', what: 'a space inside', make: written((one) => one.replace('.', ' .')), expected: invalid },
  { row: 'B6', what: 'a space before it, which HTTP allows,', make: written((one) => ` ${one}`), expected: allowed() },
  { row: 'B6', what: 'a signature one byte short', make: written((_, a, b, c) => `${a}.${b}.${Buffer.from(c, 'base64url').subarray(1).toString('base64url')}`), expected: forged },
  { row: 'B6', what: 'a signature one byte long', make: written((_, a, b, c) => `${a}.${b}.${Buffer.concat([Buffer.from(c, 'base64url'), Buffer.alloc(1)]).toString('base64url')}`), expected: forged },
  { row: 'B6', what: 'the payload of another token', make: written((_, a, __, c) => `${a}.${token({ sub: other }).split('.')[1]}.${c}`), expected: forged },
]);

// --- contents of a token

const now = seconds();
const say = (row, expected, list) => list.map(([what, make, more = {}]) => ({ row, what, make: typeof make === 'function' ? make : claims(make), expected, ...more }));
const at = (edits) => () => token(Object.fromEntries(Object.entries(edits).map(([name, offset]) => [name, seconds() + offset])));
const early = { early: true };
// A good token of that many characters, or one next to it: base64url has no text of 4n + 1.
function tokenOf(characters) {
  const text = (x) => token({ x: 'x'.repeat(x) });
  const room = Math.floor(((characters - text(0).length) * 3) / 4);
  const fits = characters > 8192 ? (one) => one.length > 8192 : (one) => one.length <= 8192;
  const near = [2, 1, 0, -1, -2].map((more) => text(room + more)).filter(fits).sort((a, b) => a.length - b.length);
  return characters > 8192 ? near[0] : near.at(-1);
}
runRows([
  ...say('B7', invalid, [
    ['exp as a string', () => token({ exp: String(seconds() + 60) })],
    ['exp with a fraction', () => token({ exp: raw(`${seconds() + 60}.5`) })],
    ['exp as 1e18', { exp: raw('1e18') }],
    ['exp as 8.64e12', { exp: raw('8.64e12') }],
    ['exp as 8640000000000', { exp: 8.64e12 }],
    ['exp in milliseconds', () => token({ exp: (seconds() + 60) * 1000 })],
    ['exp beyond 64 bits', { exp: raw('18446744073709551617') }],
    ['exp negative', { exp: -1 }],
    ['exp 0', { exp: 0 }],
    ['exp null', { exp: null }],
    ['exp missing', { exp: undefined }],
    ['exp more than 600 s after iat', at({ exp: 601, iat: 0 })],
    ['iat ten years old', () => token({ iat: seconds() - 10 * 365 * 86_400 })],
    ['iat missing', { iat: undefined }],
    ['nbf as a string', () => token({ nbf: String(seconds()) })],
    ['nbf missing', { nbf: undefined }],
  ]),
  ...say('B7', refused('token-not-active-yet'), [['nbf in an hour', at({ nbf: 3600 })]]),
  ...say('B7', refused('token-iat-in-the-future'), [['iat in a minute', at({ iat: 60, exp: 120 })]]),
  ...say('B7', allowed(), [['exp 600 s after iat', at({ exp: 600, iat: 0 })]]),
  ...say('B7', expired, [['exp an hour ago', at({ exp: -3600, iat: -3660, nbf: -3670 })]]),

  ...say('B8', allowed(), [
    ['exp now', at({ exp: 0, iat: -60 }), early],
    ['exp 4 s ago', at({ exp: -4, iat: -64 }), early],
    ['nbf in 4 s', at({ nbf: 4 })],
    ['iat in 4 s', at({ iat: 4 })],
  ]),
  ...say('B8', expired, [['exp 6 s ago', at({ exp: -6, iat: -66 })]]),
  ...say('B8', refused('token-not-active-yet'), [['nbf in 6 s', at({ nbf: 6 }), early]]),
  ...say('B8', refused('token-iat-in-the-future'), [['iat in 6 s', at({ iat: 6 }), early]]),

  ...say('B9', issuers, [
    ['iss of another instance', { iss: 'https://clerk.example.org' }],
    ['iss with a slash behind it', { iss: `${issuer}/` }],
    ['iss under http', { iss: issuer.replace('https', 'http') }],
    ['iss of a host that looks alike', { iss: `${issuer}.attacker.example` }],
    ['iss with a user before the host', { iss: 'https://clerk.example.com@attacker.example' }],
    ['iss in capitals', { iss: issuer.toUpperCase() }],
    ['iss in a list', { iss: [issuer] }],
    ['iss null', { iss: null }],
    ['iss missing', { iss: undefined }],
  ]),
  ...say('B9', issuers, [
    ['where no issuer is known, iss under http', { iss: issuer.replace('https', 'http') }],
    ['where no issuer is known, iss with a slash behind it', { iss: `${issuer}/` }],
    ['where no issuer is known, iss missing', { iss: undefined }],
  ].map(([what, edits]) => [what, edits, { by: 'open' }])),

  ...say('B10', parties, [
    ['azp of another site', { azp: 'https://evil.example.com' }],
    ['azp in a list', { azp: [party] }],
    ['azp in another case', { azp: party.toUpperCase() }],
    ['azp with a domain behind it', { azp: `${party}.evil.example` }],
    ['azp of a subdomain', { azp: party.replace('app.', 'x.app.') }],
    ['azp with a slash behind it', { azp: `${party}/` }],
    ['azp missing', { azp: undefined }],
  ]),
  ...say('B10', allowed(), [['azp missing, where no parties are listed,', { azp: undefined }, { by: 'open' }]]),

  ...say('B11', mismatch, [
    ["a machine's cat", header({ cat: 'cl_B7d4PD333AAA' })],
    ["a template's cat", header({ cat: 'cl_B7d4PD222AAA' })],
    ['an unknown cat', header({ cat: 'cl_unknown' })],
    ["OAuth's typ", header({ typ: 'at+jwt' })],
    ["OAuth's typ in full", header({ typ: 'application/at+jwt' })],
    ["a machine's sub", { sub: 'mch_2abc' }],
    ["a machine's opaque token", () => 'mt_0123456789abcdef'],
    ["OAuth's opaque token", () => 'oat_0123456789abcdef'],
    ['an API key', () => 'ak_0123456789abcdef'],
  ]),
  ...say('B12', invalid, [
    ['sub empty', { sub: '' }],
    ['sub as a number', { sub: 7 }],
    ['sub in a list', { sub: [ada] }],
    ['sub of an organization', { sub: 'org_2abc' }],
    ['sub with a newline behind it', { sub: `${ada}\n` }],
    ['sub missing', { sub: undefined }],
    ['sid missing', { sid: undefined }],
    ['sid of another kind', { sid: 'ses_2abc' }],
  ]),
  ...say('B13', refused('session-pending'), [['sts pending', { sts: 'pending' }]]),

  ...say('B15', invalid, [
    ['sub twice', sealed(asIs, (_, all) => textOf([...all, ['sub', other]]))],
    ['sub twice, once in escapes,', sealed(asIs, (text) => text.replace('{', '{"s\\u0075b":"user_2other",'))],
    ['alg twice', sealed((_, all) => textOf([['alg', 'RS256'], ...all]), asIs)],
    ['invalid UTF-8', sealed(asIs, (text) => Buffer.concat([Buffer.from(`${text.slice(0, -1)},"x":"`), Buffer.from([0xff]), Buffer.from('"}')]))],
    ['a byte order mark before the header', sealed((text) => `\ufeff${text}`, asIs)],
    ['a byte order mark before the payload', sealed(asIs, (text) => `\ufeff${text}`)],
    ['a header null', sealed(() => 'null', asIs)],
    ['a payload null', sealed(asIs, () => 'null')],
    ['a payload that is a list', sealed(asIs, (text) => `[${text}]`)],
    ['a NUL behind the payload', sealed(asIs, (text) => `${text}\0`)],
    ['a payload of 17 levels', { x: raw('['.repeat(16) + ']'.repeat(16)) }],
    ['a payload of 5 000 levels', sealed(asIs, () => '['.repeat(5000))],
    ['a header of 5 000 levels', sealed(() => '['.repeat(5000), asIs)],
  ]),
  ...say('B15', httpRefuses(431, 'headers_too_large'), [['a payload of 1 000 000 levels', sealed(asIs, () => '['.repeat(1_000_000))]]),

  ...say('B16', invalid, [
    ['a token of 8 KiB and 1', () => 'x'.repeat(8193)],
    ['an otherwise good token just beyond 8 KiB', () => tokenOf(8193)],
    ['a token of dots alone', () => '..'],
    ['8 000 dots', () => '.'.repeat(8000)],
    ['a word', () => 'token'],
  ]),
  ...say('B16', allowed(), [['a good token of just 8 KiB', () => tokenOf(8192)]]),
  ...say('B16', missing, [['an empty token', () => '']]),
  { row: 'B16', what: 'no token', make: null, expected: missing },
  ...say('B16', httpRefuses(431, 'headers_too_large'), [['a token of 1 MiB', () => 'x'.repeat(1 << 20)]]),

  ...say('B18', forbidden('user_blocked', 'blocked'), [['a good token of a blocked user', { sub: blocked }]]),
  ...say('B18', forbidden('user_deleted', 'deleted'), [['a good token of a deleted user', { sub: gone }]]),
  ...say('B18', allowed(), [['a good token of a session that Clerk has ended since', { sid: 'sess_2ended' }]]),
]);

// --- impersonation

const act = { iss: 'https://dashboard.clerk.com', sid: 'sess_2support', sub: 'user_2support' };

test('impersonation: a token with act is 200 and the response names the actor [B14]', async () => {
  const answer = await check(token({ act }), allowed());
  assert.deepEqual(JSON.parse(answer.body).actor, act);
});

const throughGateway = (uri) => ({ target: '/v1/auth/gateway', headers: [['X-Original-Method', 'GET'], ['X-Original-URI', uri]] });
runRows([
  { row: 'B14', what: 'act on a path that is closed to impersonation', make: claims({ act }), expected: forbidden('impersonated', 'impersonated'), ...throughGateway('/api/payments/7') },
  { row: 'B14', what: 'act on any other path of the gateway', make: claims({ act }), expected: { ...allowed(), clerkId: undefined }, ...throughGateway('/api/articles') },
  { row: 'B14', what: 'no act on a path that is closed to impersonation', expected: { ...allowed(), clerkId: undefined }, ...throughGateway('/api/payments/7') },
  ...say('B14', invalid, [
    ['act without an actor', { act: {} }],
    ['act as a text', { act: 'user_2support' }],
  ]),
]);

// --- which token, and from where

const cookies = (list) => () => [['Cookie', Object.entries(list()).map(([name, value]) => `${name}=${value}`).join('; ')]];
const own = `__session_${suffix}`;
const ownClient = `__client_uat_${suffix}`;
const theirsToken = () => token({ iss: 'https://clerk.example.org' });
const older = () => token({ sub: other, iat: seconds() - 20 });
const carried = (row, what, list, expected, more = {}) => ({ row, what, make: null, headers: cookies(list), expected, ...more });
const withOrigin = (origin, azp = party) => () => [['Cookie', `__session=${token({ azp })}`], ...(origin === null ? [] : [['Origin', origin]])];
const bearing = (row, what, make, headers, expected, more = {}) => ({ row, what, make, headers, expected, ...more });
runRows([
  bearing('B19', 'a good bearer beside another one’s cookie', good, cookies(() => ({ __session: token({ sub: other }) })), allowed(ada)),
  bearing('B19', 'a bad bearer beside a good cookie', () => 'token', cookies(() => ({ __session: good() })), invalid),
  bearing('B19', 'an expired bearer beside a good cookie', at({ exp: -60, iat: -120, nbf: -130 }), cookies(() => ({ __session: good() })), expired),
  bearing('B19', 'two Authorization headers', good, () => [['Authorization', `Bearer ${token({ sub: other })}`]], invalid),
  carried('B19', 'a cookie alone', () => ({ __session: good() }), allowed()),
  { row: 'B19', what: 'two different __session cookies', make: null, headers: () => [['Cookie', `__session=${good()}; __session=${token({ sub: other })}`]], expected: invalid },
  { row: 'B19', what: 'two different __session cookies in two headers', make: null, headers: () => [['Cookie', `__session=${good()}`], ['Cookie', `__session=${token({ sub: other })}`]], expected: invalid },
  { row: 'B19', what: 'one __session cookie twice', make: null, headers: () => Array(2).fill(['Cookie', `__session=${token({ jti: 'twice' })}`]), expected: allowed() },
  carried('B19', "our instance's suffix alone", () => ({ [own]: good() }), allowed()),
  carried('B19', "another instance's suffix alone", () => ({ __session_naoXFJnI: good() }), missing),
  carried('B19', "another instance's suffix beside our plain cookie", () => ({ __session_naoXFJnI: token({ sub: other }), __session: good() }), allowed()),
  carried('B19', "our suffix beside another instance's plain cookie", () => ({ __session: theirsToken(), [own]: good() }), allowed()),
  carried('B19', "another instance's plain cookie alone", () => ({ __session: theirsToken() }), missing),
  carried('B19', 'our suffix, signed in, beside an older plain cookie', () => ({ __session: older(), [own]: good(), [ownClient]: now, __client_uat: now }), allowed()),
  carried('B19', 'our older suffix beside a newer plain cookie, both signed in,', () => ({ __session: good(), [own]: older(), [ownClient]: now, __client_uat: now }), allowed()),
  carried('B19', 'our suffix, signed out, beside a plain cookie', () => ({ __session: good(), [own]: token({ sub: other }), [ownClient]: 0, __client_uat: now }), allowed()),

  { row: 'B20', what: "a cookie from the page of its own party", make: null, headers: withOrigin(party), expected: allowed() },
  { row: 'B20', what: 'a cookie without an Origin', make: null, headers: withOrigin(null), expected: allowed() },
  { row: 'B20', what: "a cookie from another site's page", make: null, headers: withOrigin('https://evil.example'), expected: parties },
  { row: 'B20', what: 'a cookie from a page without an origin', make: null, headers: withOrigin('null'), expected: parties },
  { row: 'B20', what: 'a cookie of another party', make: null, headers: withOrigin(null, 'https://evil.example'), expected: parties },
  { row: 'B20', what: 'a cookie with two Origins', make: null, headers: () => [...withOrigin(party)(), ['Origin', 'https://evil.example']], expected: parties },
  { row: 'B20', what: "a cookie from another site's page, where no parties are listed,", make: null, headers: withOrigin('https://evil.example'), expected: parties, by: 'open' },
  { row: 'B20', what: 'a cookie from the page it was made for, where no parties are listed,', make: null, headers: withOrigin(party), expected: allowed(), by: 'open' },
  bearing('B20', "a bearer from another site's page, as no browser sends it by itself,", good, [['Origin', 'https://evil.example']], allowed()),
]);

test('keys: each program fetched twice: at start, for an unknown key [B2, B4, B5, B17]', async () => {
  assert.deepEqual([clerks.network.asked.jwks, clerks.weak.asked.jwks], [2, 2]);
  for (const program of Object.values(programs)) assert.equal(findLine(program, { level: 'error' }), undefined);
  for (const watch of Object.values(watches)) assert.deepEqual(await watch.moved(), { counters: {}, records: {} }); // nothing arrived late
});

test('logs: whole lines of known keys, with only ids of tokens and users [B1-B20, I6]', () => {
  const telling = bearers.filter((one) => one.length > 20).map((one) => one.slice(-60)); // its end: of most a signature
  assert.ok(telling.length > 150, `${telling.length} tokens`);
  for (const program of Object.values(programs)) {
    assertWellFormed(program);
    assertWithout(program.log(), [...telling, `${ada}@example.com`, '/etc/passwd', 'drop table'], program.name);
  }
});
