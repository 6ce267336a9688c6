'use strict';

// Strapi's authentication by a session token of Clerk: reads the bearer, lets clerk-ingest judge it, and hands Strapi
// the user with his role's permissions. What is not an RS256 token goes to the next strategy and never leaves Strapi.

const { errors } = require('@strapi/utils');

const name = 'clerk-sync';

// Not a user and not a 401: what authentication.js answers in words that a Strapi strategy cannot return.
class NotLetIn extends Error {
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

// The bearer that may be Clerk's, else null. Cookies are not read: a page of another origin could send them.
function clerkTokenOf(ctx) {
  const [scheme, token, ...more] = (ctx.request?.header?.authorization ?? '').trim().split(/\s+/);
  const isBearer = scheme.toLowerCase() === 'bearer' && token !== undefined && more.length === 0;
  return isBearer && isRs256(token) ? token : null;
}

// The same rule as users-permissions has for its own users; Strapi asks it for routes and for each relation of a query.
async function verify({ credentials, ability }, config = {}) {
  if (!config.scope) {
    if (!credentials) throw new errors.UnauthorizedError();
    return;
  }
  if (!ability) throw new errors.UnauthorizedError();
  const scopes = Array.isArray(config.scope) ? config.scope : [config.scope];
  if (!scopes.every((scope) => ability.can(scope))) throw new errors.ForbiddenError();
}

function createStrategy({ ask, abilityOf, outages, isClosedToActors }) {
  async function letIn(ctx, answer) {
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
    const { outcome, answer, why, retryAfterS } = await ask(token);
    if (outcome === 'away') {
      outages.away(why);
      throw new NotLetIn(503, 'Sign-in cannot be checked at the moment. Please try again.', retryAfterS);
    }
    outages.back();
    if (outcome === 'user') {
      if (answer.actor && isClosedToActors(ctx.path)) throw new NotLetIn(403, 'Nobody may act for somebody else here.');
      return letIn(ctx, answer);
    }
    if (outcome === 'forbidden') throw new NotLetIn(403, 'This user is blocked or deleted.');
    ctx.set('WWW-Authenticate', 'Bearer error="invalid_token"');
    return { authenticated: false, error: 'The session token is not valid, or no longer.' };
  }

  return { name, authenticate, verify };
}

module.exports = { createStrategy, clerkTokenOf, NotLetIn };
