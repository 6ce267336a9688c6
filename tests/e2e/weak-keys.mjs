// Keys that no key set should contain, complete, so that tokens can be signed with them: too short, with an exponent under
// which any signature verifies, of a kind that can be factored, for another use, under another key's name.

import { createHash, createPrivateKey, generateKeyPairSync, generatePrimeSync, sign as signWith } from 'node:crypto';

const base64url = (number) => {
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex').toString('base64url');
};

function powerOf(base, exponent, modulus) {
  let result = 1n;
  for (let [square, left] = [base % modulus, exponent]; left > 0n; square = (square * square) % modulus, left >>= 1n)
    if (left & 1n) result = (result * square) % modulus;
  return result;
}

function inverseOf(value, modulus) {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n) [a, b, x, y] = [b % a, a, y - (b / a) * x, x];
  return ((x % modulus) + modulus) % modulus;
}

// As Infineon's library made them (CVE-2017-15361): both primes are powers of 65537 modulo every small prime.
function factorableKey() {
  const small = Array.from({ length: 166 }, (_, i) => BigInt(i + 2)).filter((n, _, all) => n > 2n && all.every((m) => m >= n || n % m !== 0n));
  const product = small.reduce((a, b) => a * b);
  const prime = (power) => generatePrimeSync(1024, { add: product, rem: powerOf(65537n, power, product), bigint: true });
  for (let power = 3n; ; power += 2n) {
    const [p, q] = [prime(power), prime(power + 1n)];
    const [n, rest] = [p * q, (p - 1n) * (q - 1n)];
    if (n.toString(2).length !== 2048 || rest % 65537n === 0n) continue;
    const d = inverseOf(65537n, rest);
    const numbers = { n, e: 65537n, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverseOf(q, p) };
    return createPrivateKey({ format: 'jwk', key: { kty: 'RSA', ...Object.fromEntries(Object.entries(numbers).map(([name, one]) => [name, base64url(one)])) } });
  }
}

const publicOf = ({ n, e }) => ({ kty: 'RSA', n, e });
const signer = (privateKey) => (bytes) => signWith('sha256', Buffer.from(bytes), privateKey);

// With the exponent 1 a signature is its own padded digest: it needs no private key.
const unpadded = (bytes) => {
  const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), createHash('sha256').update(bytes).digest()]);
  return Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(256 - 3 - info.length, 0xff), Buffer.from([0]), info]);
};

// Each: {kid, what, why, jwks, seal}; `why` is the program's message, `jwks` the members of the key set.
export function weakKeys() {
  const keyOf = (bits) => generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
  const one = (kid, what, why, privateKey, edits = {}, seal = signer(privateKey)) =>
    ({ kid, what, why, seal, jwks: [{ ...publicOf(privateKey.export({ format: 'jwk' })), kid, alg: 'RS256', use: 'sig', ...edits }] });
  const [honest, first, second] = [keyOf(2048), keyOf(2048), keyOf(2048)];
  const twice = one('ins_twice', 'a key whose kid another key has too', 'has the kid of another key', first);
  twice.jwks.push(...one('ins_twice', '', '', second).jwks);
  return [
    one('ins_short', 'a key of 1024 bits', 'has a modulus of 1024 bits', keyOf(1024)),
    one('ins_one', 'a key with the exponent 1, under which any signature verifies,', 'has an exponent that is even or 1', honest, { e: 'AQ' }, unpadded),
    one('ins_factorable', 'a key that can be factored (ROCA)', 'ROCA, CVE-2017-15361', factorableKey()),
    one('ins_secrets', 'a key for encryption', 'is for another use than signatures', honest, { use: 'enc' }),
    one('ins_signer', 'a key whose key_ops do not verify', 'is not for verifying (key_ops)', honest, { key_ops: ['sign'] }),
    one('ins_longer', 'a key for RS512', 'is for another algorithm than RS256', honest, { alg: 'RS512' }),
    twice,
  ];
}
