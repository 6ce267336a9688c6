// Clerk's side: users as webhooks carry them, webhooks signed by the official svix package, session tokens.

import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { Webhook } from 'svix';

export { Webhook }; // for tests in other folders, which have no packages of their own

export const clerkId = () => `user_2${randomBytes(13).toString('hex')}`;
export const instanceId = 'ins_2endtoendtests';

// A Clerk user as a webhook carries it. `email: null` means none.
export function clerkUser({ id = clerkId(), email = `${id.slice(-8)}@example.com`, verified = true, updatedAt = Date.now(), ...fields } = {}) {
  const emailId = `idn_${id.slice(5)}`;
  return {
    id,
    object: 'user',
    username: null,
    first_name: 'Ada',
    last_name: 'Lovelace',
    primary_email_address_id: email ? emailId : null,
    email_addresses: email
      ? [{ id: emailId, object: 'email_address', email_address: email, verification: { status: verified ? 'verified' : 'unverified', strategy: 'email_code' }, linked_to: [] }]
      : [],
    phone_numbers: [],
    external_accounts: [],
    public_metadata: {},
    private_metadata: {},
    unsafe_metadata: {},
    banned: false,
    locked: false,
    deprovisioned: false,
    created_at: updatedAt,
    updated_at: updatedAt,
    ...fields,
  };
}

const envelope = (type, data, timestamp) => ({ data, object: 'event', type, timestamp, instance_id: instanceId, event_attributes: { http_request: { client_ip: '', user_agent: '' } } });
export const userCreated = (user, timestamp = user.updated_at) => envelope('user.created', user, timestamp);
export const userUpdated = (user, timestamp = user.updated_at) => envelope('user.updated', user, timestamp);
export const userDeleted = (id, timestamp = Date.now()) => envelope('user.deleted', { id, object: 'user', deleted: true }, timestamp);

// Sends a webhook as Svix does, signed by the official library. body: text as it is, or an object.
export async function sendWebhook(url, secret, { id = `msg_${randomBytes(12).toString('hex')}`, timestamp = new Date(), body, headers = {}, route = '/webhooks/clerk' }) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const signature = new Webhook(secret).sign(id, timestamp, text);
  const answer = await fetch(url + route, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'svix-id': id,
      'svix-timestamp': String(Math.floor(timestamp.getTime() / 1000)),
      'svix-signature': signature,
      ...headers,
    },
    body: text,
    signal: AbortSignal.timeout(20_000),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.text(), id };
}

// A Clerk instance's signing key: pem for CLERK_JWT_KEY, sign(claims) for session tokens.
export function newSigningKey(kid = instanceId) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    kid,
    publicKey,
    privateKey,
    pem: publicKey.export({ type: 'spki', format: 'pem' }),
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' },
    sign(claims, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const defaults = { iss: 'https://clerk.example.com', sid: 'sess_2endtoendtests', iat: now, nbf: now - 10, exp: now + 60, v: 2, sts: 'active' };
      const signed = `${part({ alg: 'RS256', typ: 'JWT', kid, cat: 'cl_B7d4PD111AAA', ...header })}.${part({ ...defaults, ...claims })}`;
      return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
    },
  };
}
