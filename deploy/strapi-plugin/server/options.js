'use strict';

// The plugin's options: defaults, and a check at start whose messages name the accepted values. Strapi does not start
// with an unknown or invalid option.

const { faultOfNoImpersonation } = require('./impersonation');

const defaults = ({ env }) => ({
  ingestUrl: env('CLERK_INGEST_URL'),
  // Just-in-time provisioning: ingest may read the user from Clerk's API and then waits up to 2 s for the new row.
  timeoutMs: 5000,
  ownerMayUpdate: [],
  allowLocalLogin: false,
  abilityCacheMs: 1000,
  noImpersonation: [],
});

// Clerk, Strapi or an administrator writes these. A user who could write them could become another user or an
// administrator.
const neverForOwners = [
  'id', 'documentId', 'clerkId', 'email', 'username', 'password', 'provider', 'confirmed', 'blocked', 'role',
  'createdAt', 'updatedAt', 'publishedAt', 'createdBy', 'updatedBy', 'locale', 'localizations',
];
const mayNeverBeListed = (key) => neverForOwners.includes(key) || /token$/i.test(key);

const isWhole = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;

function faultOfUrl(value) {
  if (value === undefined || value === null || value === '') {
    return 'ingestUrl is missing: set it, or CLERK_INGEST_URL, to the address of clerk-ingest, such as http://clerk-ingest:8080';
  }
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) return 'ingestUrl must be an http or https address, such as http://clerk-ingest:8080';
  if (url.username || url.password) return 'ingestUrl must not carry a user name or a password: clerk-ingest needs none';
  if (url.search || url.hash) return 'ingestUrl must end with its path: no ? and no #';
  return null;
}

function faultOfOwnerMayUpdate(value) {
  if (!Array.isArray(value) || value.some((key) => typeof key !== 'string' || key === '')) {
    return "ownerMayUpdate must be a list of fields of the user type, such as ['nickname']";
  }
  const refused = value.filter(mayNeverBeListed);
  if (refused.length === 0) return null;
  return `ownerMayUpdate must not list ${refused.join(', ')}: Clerk, Strapi or an administrator writes that, never the user`;
}

const faultOf = {
  ingestUrl: faultOfUrl,
  timeoutMs: (value) => (isWhole(value, 100, 60_000) ? null : 'timeoutMs must be a whole number from 100 to 60000'),
  ownerMayUpdate: faultOfOwnerMayUpdate,
  allowLocalLogin: (value) => (typeof value === 'boolean' ? null : 'allowLocalLogin must be true or false'),
  abilityCacheMs: (value) => (isWhole(value, 0, 60_000) ? null : 'abilityCacheMs must be a whole number from 0 to 60000'),
  noImpersonation: faultOfNoImpersonation,
};

// Throws one Error with every fault in it. Strapi puts "Error regarding clerk-sync config: " before its message.
function validate(options) {
  const known = Object.keys(faultOf);
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  const faults = unknown.map((name) => `there is no option ${name}; the options are ${known.join(', ')}`);
  for (const name of known) {
    const fault = faultOf[name](options[name]);
    if (fault) faults.push(fault);
  }
  if (faults.length > 0) throw new Error(faults.join('; '));
}

function describe({ ingestUrl, allowLocalLogin, ownerMayUpdate, noImpersonation }) {
  const login = allowLocalLogin ? 'local login is open to local users' : 'local login is closed';
  const fields = ownerMayUpdate.length > 0 ? ownerMayUpdate.join(', ') : 'nothing';
  const closed = noImpersonation.length > 0 ? `, impersonation is rejected on ${noImpersonation.join(', ')}` : '';
  return `users have clerkId and fullName, clerk-ingest at ${ingestUrl} verifies Clerk's tokens, ${login}, a user may update ${fields} of their own row${closed}`;
}

module.exports = { defaults, validate, describe, mayNeverBeListed };
