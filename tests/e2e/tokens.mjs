// Session tokens of every kind, good and bad, for a comparison with Clerk's own SDK. `stricter` is the reason why we reject
// what the SDK accepts; a case without it must get the same decision.

import { constants, createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto';

export const issuer = 'https://clerk.example.com';
export const party = 'https://app.example.com';

const encode = (value) => Buffer.from(value).toString('base64url');
export const rs256 = (privateKey, digest = 'sha256', options = {}) => (bytes) => signWith(digest, Buffer.from(bytes), { key: privateKey, ...options });

// The text of an object in which a value may be raw JSON, and a name may occur twice.
export const raw = (json) => ({ rawJson: json });
export const textOf = (members) =>
  `{${members.filter(([, value]) => value !== undefined).map(([name, value]) => `${JSON.stringify(name)}:${value?.rawJson ?? JSON.stringify(value)}`)}}`;
export const edited = (members, edits) => [...members.filter(([name]) => !(name in edits)), ...Object.entries(edits)];

// Tokens of one key: the good one of `header` and `claims`, and edited ones; undefined leaves a member out.
export function tokenMaker({ privateKey, kid = 'ins_2abc', now = Math.floor(Date.now() / 1000) }) {
  const header = [['alg', 'RS256'], ['cat', 'cl_B7d4PD111AAA'], ['kid', kid], ['typ', 'JWT']];
  const claims = [['azp', party], ['exp', now + 60], ['fva', [0, -1]], ['iat', now], ['iss', issuer], ['jti', '5f2d0f9b'], ['nbf', now - 10],
    ['sid', 'sess_2abc'], ['sts', 'active'], ['sub', 'user_2abc'], ['v', 2]];
  const sealed = (headerText, payloadText, seal = rs256(privateKey)) => {
    const bytes = `${encode(headerText)}.${encode(payloadText)}`;
    return `${bytes}.${seal(bytes).toString('base64url')}`;
  };
  const withClaims = (edits, headerEdits = {}, seal) => sealed(textOf(edited(header, headerEdits)), textOf(edited(claims, edits)), seal);
  const withHeader = (edits, seal) => withClaims({}, edits, seal);
  return { header, claims, sealed, withClaims, withHeader };
}

export function tokenCases({ privateKey, publicKey, kid, now = Math.floor(Date.now() / 1000) }) {
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { header, claims, sealed, withClaims, withHeader } = tokenMaker({ privateKey, kid, now });
  const good = withClaims({});
  const [goodHeader, goodPayload, goodSignature] = good.split('.');

  const cases = [];
  const add = (name, token, stricter) => cases.push({ name, token, stricter });
  // One case for each value of a claim or header; a list holds the values that we are stricter about.
  const each = (edit, label, name, values, stricter) => {
    for (const value of values) add(`${label} ${name} ${value === undefined ? 'missing' : textOf([['', value]]).slice(4, -1).slice(0, 60)}`, edit({ [name]: value }), stricter);
  };
  const claim = (name, values, stricter) => each(withClaims, 'claim', name, values, stricter);
  const head = (name, values, stricter) => each(withHeader, 'header', name, values, stricter);

  // --- good
  add('a session token of version 2', good);
  add('of version 1', withClaims({ v: undefined, jti: undefined, sts: undefined, org_id: 'org_1', org_role: 'org:admin', org_permissions: ['org:a:b'] }));
  add('with an organization', withClaims({ o: { id: 'org_1', slg: 'acme', rol: 'admin', per: 'create,read', fpm: '3' }, fea: 'o:dashboard' }));
  add('of an impersonated user', withClaims({ act: { iss: 'https://dashboard.clerk.com', sid: 'sess_9', sub: 'user_9' } }));
  add('with claims of one’s own', withClaims({ email: 'zoe@example.com', first_name: 'Zoë', metadata: { plan: 'pro' } }));
  add('with an unexpected audience', withClaims({ aud: 'https://api.example.com' }));
  add('about to expire', withClaims({ exp: now + 20, iat: now - 40, nbf: now - 50 }));
  add('expired within the tolerance', withClaims({ exp: now - 1, iat: now - 61, nbf: now - 71 }));
  add('issued a little ahead of our clock', withClaims({ iat: now + 2, nbf: now + 2 }));
  head('typ', [undefined]);
  head('cat', [undefined, 'cl_I7d4PD111III']);
  head('kid', [undefined, 'ins_other', '../../etc/passwd', '']); // with a PEM there is one key
  head('jku', ['https://attacker.example/jwks.json']);
  head('x5u', ['https://attacker.example/x.pem']);
  head('x5c', [['MIIB']]);
  head('jwk', [stranger.publicKey.export({ format: 'jwk' })]);

  // --- algorithm, key, signature
  head('alg', ['none', 'NONE', 'nOnE', 'rs256', 'HS256', 'ES256', 'PS256', '', undefined, null, 5, ['RS256'], raw('{"a":"RS256"}')]);
  add('alg none without a signature', `${encode(textOf(edited(header, { alg: 'none' })))}.${goodPayload}.`);
  add('HS256 keyed with the PEM', withHeader({ alg: 'HS256' }, (bytes) => createHmac('sha256', pem).update(bytes).digest()));
  add('RS384', withHeader({ alg: 'RS384' }, rs256(privateKey, 'sha384')));
  add('RS512', withHeader({ alg: 'RS512' }, rs256(privateKey, 'sha512')));
  add('RS256 by name, RS512 by signature', withHeader({}, rs256(privateKey, 'sha512')));
  add('PS256', withHeader({ alg: 'PS256' }, rs256(privateKey, 'sha256', { padding: constants.RSA_PKCS1_PSS_PADDING })));
  add('RS256 by name, PS256 by signature', withHeader({}, rs256(privateKey, 'sha256', { padding: constants.RSA_PKCS1_PSS_PADDING })));
  add('of a stranger’s key', withHeader({}, rs256(stranger.privateKey)));
  add('of a stranger’s key that comes along', withHeader({ jwk: stranger.publicKey.export({ format: 'jwk' }) }, rs256(stranger.privateKey)));
  add('another payload', `${goodHeader}.${encode(textOf(edited(claims, { sub: 'user_other' })))}.${goodSignature}`);
  add('another header', `${encode(textOf(edited(header, { kid: 'ins_other' })))}.${goodPayload}.${goodSignature}`);
  add('a signature cut', good.slice(0, -4));
  add('a signature of zeros', `${goodHeader}.${goodPayload}.${'A'.repeat(342)}`);
  add('a signature with more behind it', `${good}AAAA`);

  // --- contents of a header
  const meaning = 'an unsupported extension that changes the meaning of the token';
  head('crit', [['exp'], []], meaning);
  head('b64', [false, true], meaning);
  head('zip', ['DEF'], meaning);
  head('typ', ['jwt', 'at+jwt', 'application/at+jwt', '', null, 1]);
  const otherKind = 'verifyToken lets it through, authenticateRequest does not: a template’s or a machine’s token is no session';
  head('cat', ['cl_B7d4PD222AAA', 'cl_unknown', 7], otherKind);
  head('cat', ['cl_B7d4PD333AAA']);
  head('kid', [7, null], 'a key’s name is a text');

  // --- claims
  const whole = 'a time is a whole number of seconds, in this era';
  claim('exp', [String(now + 60), undefined, null, -1, now - 60, raw('[1]'), true]);
  claim('exp', [raw(`${now + 60}.5`), raw('1e18'), 8.64e12, (now + 60) * 1000], whole);
  claim('exp', [now + 601, now + 86400], 'a session token lives a minute; one of more than ten is none of Clerk’s');
  claim('iat', [now + 60, String(now), null]);
  claim('iat', [undefined, raw(`${now}.5`)], whole);
  claim('iat', [now - 10 * 365 * 86400], 'a session token lives a minute; one of more than ten is none of Clerk’s');
  claim('nbf', [now + 60, String(now), null]);
  claim('nbf', [undefined, raw(`${now - 10}.5`), -1], whole);
  claim('sub', [undefined, null, 7, ['user_2abc']]);
  claim('sub', ['', 'mch_2abc', 'user_', 'org_2abc', 'user_2a bc', 'user_2abc\n'], 'a session is a user’s');
  claim('sid', [undefined, null, 7, '', 'ses_2abc'], 'a session token names its session');
  claim('iss', ['https://clerk.other.com', `${issuer}/`, 'http://clerk.example.com', `${issuer}.attacker.example`, 'https://CLERK.example.com', undefined, null, 7, [issuer]]);
  claim('azp', ['https://evil.example.com', `${party}.evil.com`, 'https://APP.example.com', `${party}/`, [party], undefined, null, 7]);
  claim('aud', [5, [5], raw('{}')]);
  claim('sts', ['pending'], 'a session with open tasks counts as signed out');
  claim('sts', [1], 'a status is a text');
  claim('act', [{}, 'user_9', { sub: 7 }], 'an impersonation without a known actor');
  claim('o', [{}, 'org_1', { id: 7 }], 'an organization has an id');

  // --- form
  const bytes = (headerText, payload) => {
    const signed = `${encode(headerText)}.${payload.toString('base64url')}`;
    return `${signed}.${rs256(privateKey)(signed).toString('base64url')}`;
  };
  const text = textOf(claims);
  const twoParsers = 'two parsers could read it differently';
  add('sub twice', sealed(textOf(header), textOf([...claims, ['sub', 'user_other']])), twoParsers);
  add('alg twice', sealed(textOf([['alg', 'none'], ...header]), text), twoParsers);
  add('a byte order mark', bytes(textOf(header), Buffer.from(`\ufeff${text}`)), twoParsers);
  add('invalid UTF-8', bytes(textOf(header), Buffer.concat([Buffer.from(`${text.slice(0, -1)},"x":"`), Buffer.from([0xff]), Buffer.from('"}')])), twoParsers);
  add('seventeen levels', withClaims({ x: raw('['.repeat(16) + ']'.repeat(16)) }), 'deeper than any token is');
  add('over 8 KiB', withClaims({ x: 'x'.repeat(6500) }), 'longer than any cookie could be');
  add('padded', `${good}==`, 'a token has one way to be written');
  for (const [name, token] of [
    ['header null', sealed('null', text)], ['header a list', sealed('[]', text)], ['header garbage', `!!!.${goodPayload}.${goodSignature}`],
    ['payload null', sealed(textOf(header), 'null')], ['payload a text', sealed(textOf(header), '"x"')], ['payload a list', sealed(textOf(header), '[]')],
    ['payload cut', sealed(textOf(header), text.slice(0, -1))], ['something after the payload', sealed(textOf(header), `${text}x`)],
    ['two parts', good.split('.').slice(0, 2).join('.')], ['four parts', `${good}.AAAA`], ['five parts', `${good}.AAAA.AAAA`],
    ['a dot after it', `${good}.`], ['a dot before it', `.${good}`], ['empty signature', `${goodHeader}.${goodPayload}.`], ['empty payload', `${goodHeader}..${goodSignature}`],
    ['only dots', '..'], ['a word', 'token'], ['standard alphabet', `${goodHeader}.${goodPayload}.+/${goodSignature.slice(2)}`],
    ['a spare bit set', good.slice(0, -1) + { A: 'B', Q: 'R', g: 'h', w: 'x' }[good.at(-1)]],
    ['a machine’s token', 'mt_0123456789abcdef'], ['an OAuth token', 'oat_0123456789abcdef'], ['an API key', 'ak_0123456789abcdef'],
  ]) add(name, token);
  return cases;
}
