'use strict';

// Strapi's own sign-in. A Strapi JWT lives for days and knows nothing of Clerk's sessions, so no user of Clerk ever gets
// one or comes in by one, whatever the options. Without allowLocalLogin nobody gets a new one: every action of
// users-permissions that leads to a JWT or to a password is closed.

const { errors } = require('@strapi/utils');
const { extend } = require('./extend');
const { userType } = require('./user-type');

const loginActions = [
  'callback', 'connect', 'register', 'refresh', 'forgotPassword', 'resetPassword', 'changePassword',
  'emailConfirmation', 'sendEmailConfirmation',
];

const refuse = (message) => {
  throw new errors.PolicyError(message);
};

const closed = () => refuse('Local login is closed on this site: sign in with Clerk.');
const notByStrapi = () => refuse('This user signs in with Clerk: no Strapi token or password is given to him.');

// Users-permissions asks for the row of every JWT; "no such user" is its word for a 401.
function refuseStrapiTokensOfClerkUsers(strapi) {
  extend(strapi, 'services', 'user', (service) => ({
    async fetchAuthenticatedUser(...args) {
      const user = await service.fetchAuthenticatedUser(...args);
      return user?.clerkId ? null : user;
    },
  }));
}

// Strapi has just made this token for the answer, so it is read without a look at its signature.
function userIdOf(jwt) {
  const payload = JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString('utf8'));
  return Number(payload.id ?? payload.userId);
}

async function takeBack(strapi, ctx, userId) {
  ctx.body = null;
  const mode = strapi.config.get('plugin::users-permissions.jwtManagement', 'legacy-support');
  if (mode === 'refresh') await strapi.sessionManager('users-permissions').invalidateRefreshToken(String(userId));
}

// Behind every action, also those that a later Strapi adds: what it answers holds no token of a Clerk user.
const checked = (strapi, isClerkUser, action) =>
  async function checkedAction(ctx, ...rest) {
    const value = await action(ctx, ...rest);
    const jwt = ctx.body?.jwt;
    if (typeof jwt !== 'string') return value;
    const userId = userIdOf(jwt);
    if (!(await isClerkUser({ id: userId }))) return value;
    await takeBack(strapi, ctx, userId);
    return notByStrapi();
  };

// These write before they answer, so they are stopped before. To a stranger the answers are those that Strapi gives
// for an address or a code that it does not know.
function beforeWriting(isClerkUser) {
  return {
    async forgotPassword(ctx) {
      const { email } = ctx.request.body ?? {};
      if (typeof email !== 'string' || !(await isClerkUser({ email: email.toLowerCase() }))) return false;
      ctx.send({ ok: true });
      return true;
    },
    async resetPassword(ctx) {
      const { code } = ctx.request.body ?? {};
      if (typeof code === 'string' && (await isClerkUser({ resetPasswordToken: code }))) throw new errors.ValidationError('Incorrect code provided');
      return false;
    },
    async emailConfirmation(ctx) {
      const { confirmation } = ctx.query ?? {};
      if (typeof confirmation === 'string' && (await isClerkUser({ confirmationToken: confirmation }))) throw new errors.ValidationError('Invalid token');
      return false;
    },
    async changePassword(ctx) {
      return ctx.state.user?.clerkId ? notByStrapi() : false;
    },
  };
}

const unlessStopped = (stops, action) =>
  stops
    ? async function stoppedAction(ctx, ...rest) {
        if (await stops(ctx)) return undefined;
        return action(ctx, ...rest);
      }
    : action;

function guardLocalLogin(strapi, { allowLocalLogin }) {
  const isClerkUser = async (where) => (await strapi.db.query(userType).count({ where: { ...where, clerkId: { $notNull: true } } })) > 0;
  const stops = beforeWriting(isClerkUser);
  refuseStrapiTokensOfClerkUsers(strapi);
  extend(strapi, 'controllers', 'auth', (auth) => {
    const guarded = {};
    for (const [name, action] of Object.entries(auth)) {
      if (typeof action !== 'function') continue;
      const isClosed = !allowLocalLogin && loginActions.includes(name);
      guarded[name] = isClosed ? closed : unlessStopped(stops[name], checked(strapi, isClerkUser, action.bind(auth)));
    }
    return guarded;
  });
}

module.exports = { guardLocalLogin };
