'use strict';

// Where a request meets the strategies. Strapi tries them in the order of registration, API tokens always first, which
// costs a query, and a strategy can answer nothing but 401. So this stands around Strapi's own authenticate(), which
// core and GraphQL look up for each request: a token of Clerk goes to our strategy alone, 403 and 503 get their words,
// and a user's own row needs no more permission than users/me. All changes are to this request's copy of the route.

const { clerkTokenOf, NotLetIn } = require('./strategy');

const ownScope = 'plugin::users-permissions.user.me';
const rowActions = ['user.findOne', 'user.update', 'user.destroy'];

const withAuth = (route, auth) => ({ ...route, config: { ...route.config, auth: { ...route.config?.auth, ...auth } } });

// Routes without authentication, and those that name their strategies, mean what they say.
function onlyOurs(ctx, name) {
  const { route } = ctx.state;
  const auth = route?.config?.auth;
  if (route?.info?.type !== 'content-api' || auth === false || auth?.strategies) return;
  if (clerkTokenOf(ctx) !== null) ctx.state.route = withAuth(route, { strategies: [name] });
}

// Whether it is his own row is for ownership.js to say. API tokens have no users/me and keep the scope they have.
function openOwnRow(ctx) {
  const { route, auth, user } = ctx.state;
  const isRowOfUsers = route?.info?.pluginName === 'users-permissions' && rowActions.includes(route.handler);
  if (isRowOfUsers && user && auth?.ability?.can(ownScope)) ctx.state.route = withAuth(route, { scope: [ownScope] });
}

function answer(ctx, { status, message, retryAfterS }) {
  if (status === 403) {
    ctx.forbidden(message);
    return;
  }
  ctx.set('Retry-After', String(retryAfterS));
  ctx.serviceUnavailable(message);
}

function authenticateClerkFirst(strapi, strategy) {
  const service = strapi.get('auth');
  const authenticate = service.authenticate.bind(service);

  service.authenticate = async (ctx, next) => {
    onlyOurs(ctx, strategy.name);
    try {
      return await authenticate(ctx, () => {
        openOwnRow(ctx);
        return next();
      });
    } catch (error) {
      if (!(error instanceof NotLetIn)) throw error;
      return answer(ctx, error);
    }
  };
}

module.exports = { authenticateClerkFirst };
