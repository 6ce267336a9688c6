'use strict';

// Guards Strapi's own sign-in. A Strapi JWT lives for days and is independent of Clerk's sessions. So a Clerk user
// never gets one, and one that exists is rejected, whatever the options. Without allowLocalLogin every action of
// users-permissions that issues a JWT or sets a password is closed for all users.

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
const notByStrapi = () => refuse('This user signs in with Clerk and cannot get a Strapi token or password.');

// users-permissions loads the user of every JWT through this method; for null it returns 401.
function refuseStrapiTokensOfClerkUsers(strapi) {
  extend(strapi, 'services', 'user', (service) => ({
    async fetchAuthenticatedUser(...args) {
      const user = await service.fetchAuthenticatedUser(...args);
      return user?.clerkId ? null : user;
    },
  }));
}

// Strapi has just issued this token for the response, so its signature needs no check.
function userIdOf(jwt) {
  const payload = JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url').toString('utf8'));
  return Number(payload.id ?? payload.userId);
}

async function withdrawToken(strapi, ctx, userId) {
  ctx.body = null;
  const mode = strapi.config.get('plugin::users-permissions.jwtManagement', 'legacy-support');
  if (mode === 'refresh') await strapi.sessionManager('users-permissions').invalidateRefreshToken(String(userId));
}

// Checks the response of every action, also of actions that a later Strapi adds: it must contain no token of a Clerk
// user.
const checked = (strapi, isClerkUser, action) =>
  async function checkedAction(ctx, ...rest) {
    const value = await action(ctx, ...rest);
    const jwt = ctx.body?.jwt;
    if (typeof jwt !== 'string') return value;
    const userId = userIdOf(jwt);
    if (!(await isClerkUser({ id: userId }))) return value;
    await withdrawToken(strapi, ctx, userId);
    return notByStrapi();
  };

// These actions write before they respond, so the check runs first. The responses equal Strapi's own for an unknown
// address or code, so that they do not reveal which addresses have users.
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
