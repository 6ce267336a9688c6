'use strict';

// Strapi's authentication strategy for Clerk's session tokens: reads the bearer token, lets clerk-ingest verify it, and
// returns the user with the permissions of their role. Any other token goes to the next strategy and never leaves
// Strapi.

const { errors } = require('@strapi/utils');

const name = 'clerk-sync';

// A 403 or 503 with its message, which a Strapi strategy cannot return; authentication.js does.
class RejectedRequest extends Error {
  constructor(status, message, retryAfterS) {
    super(message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

function isRs256(token) {
  if (!/^[\w=-]+\.[\w=-]+\.[\w=-]+$/.test(token)) return false;
  const [header] = token.split('.');
  try {
    return JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))?.alg === 'RS256';
  } catch {
    return false;
  }
}

// The bearer token if it may be Clerk's (RS256), otherwise null. Cookies are not read: a page of another origin could
// send them.
function clerkTokenOf(ctx) {
  const [scheme, token, ...more] = (ctx.request?.header?.authorization ?? '').trim().split(/\s+/);
  const isBearer = scheme.toLowerCase() === 'bearer' && token !== undefined && more.length === 0;
  return isBearer && isRs256(token) ? token : null;
}

// The same rule as users-permissions has for its users. Strapi calls it for the route and for each relation of a query.
async function verify({ credentials, ability }, config = {}) {
  if (!config.scope) {
    if (!credentials) throw new errors.UnauthorizedError();
    return;
  }
  if (!ability) throw new errors.UnauthorizedError();
  const scopes = Array.isArray(config.scope) ? config.scope : [config.scope];
  if (!scopes.every((scope) => ability.can(scope))) throw new errors.ForbiddenError();
}

function createStrategy({ verifyToken, abilityOf, outages, isClosedToActors }) {
  async function signIn(ctx, answer) {
    const { user, ...session } = answer;
    const credentials = { ...user, role: user.role ?? null, clerkId: session.clerkId };
    const ability = await abilityOf(credentials.role?.id ?? null);
    ctx.state.user = credentials;
    ctx.state.clerk = session;
    return { authenticated: true, credentials, ability };
  }

  async function authenticate(ctx) {
    const token = clerkTokenOf(ctx);
    if (token === null) return { authenticated: false };
    const { outcome, answer, why, retryAfterS } = await verifyToken(token);
    if (outcome === 'unavailable') {
      outages.unavailable(why);
      throw new RejectedRequest(503, 'The session token cannot be verified at the moment. Please try again.', retryAfterS);
    }
    outages.available();
    if (outcome === 'user') {
      if (answer.actor && isClosedToActors(ctx.path)) throw new RejectedRequest(403, 'Impersonation is not allowed here.');
      return signIn(ctx, answer);
    }
    if (outcome === 'forbidden') throw new RejectedRequest(403, 'This user is blocked or deleted.');
    ctx.set('WWW-Authenticate', 'Bearer error="invalid_token"');
    return { authenticated: false, error: 'The session token is invalid or expired.' };
  }

  return { name, authenticate, verify };
}

module.exports = { createStrategy, clerkTokenOf, RejectedRequest };
