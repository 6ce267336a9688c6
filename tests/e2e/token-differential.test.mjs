// needs: database, kafka
// Our decision about session tokens beside that of Clerk's SDK: the same, or stricter for a reason that is in
// tokens.mjs; never laxer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyToken } from '@clerk/backend';
import { newSigningKey, startIngest } from './support.mjs';
import { issuer, party, tokenCases } from './tokens.mjs';

const key = newSigningKey();
const ingest = await startIngest({
  CLERK_JWT_KEY: key.pem,
  CLERK_ISSUER: issuer,
  CLERK_AUTHORIZED_PARTIES: party,
  DATABASE_URL: 'postgres://unknown@127.0.0.1:1/nowhere',
}, { wait: 'alive' }); // tokens alone: no topics, so never ready

const clerkAccepts = async (token) => {
  try {
    await verifyToken(token, { jwtKey: key.pem, issuer, authorizedParties: [party] });
    return true;
  } catch {
    return false; // any exception: some bad tokens end in a TypeError
  }
};

// The database is unreachable throughout: an accepted token gives 503, because its user cannot be read.
async function weAccept(token) {
  const answer = await fetch(`${ingest.url}/v1/auth/verify`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(10_000) });
  const body = await answer.text();
  assert.ok([401, 503].includes(answer.status), `${answer.status} ${body}`);
  if (answer.status === 401) assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer\b/);
  else assert.doesNotMatch(body, /not_configured/);
  return answer.status === 503;
}

test("tokens: each is decided as by Clerk's SDK, or more strictly for a documented reason [I5]", async () => {
  const cases = tokenCases(key);
  const wrong = [];
  for (const { name, token, stricter } of cases) {
    const [clerk, ours] = [await clerkAccepts(token), await weAccept(token)];
    const expected = stricter ? clerk && !ours : clerk === ours;
    if (!expected) wrong.push(`${name}: Clerk ${clerk ? 'accepts' : 'refuses'}, we ${ours ? 'accept' : 'refuse'}${stricter ? `, though: ${stricter}` : ''}`);
  }
  assert.deepEqual(wrong, []);
  console.log(`${cases.length} tokens, ${cases.filter(({ stricter }) => stricter).length} of them refused for a reason of our own`);
});
