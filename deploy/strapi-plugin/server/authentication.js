'use strict';

// Wraps Strapi's authenticate(), which core and GraphQL look up for each request. Strapi tries strategies in the order
// of registration, API tokens always first, which costs a query; and a strategy can fail with 401 only. The wrapper
// passes Clerk's tokens to our strategy alone, returns 403 and 503 with their messages, and lets users/me be permission
// enough for a user's own row. It changes only this request's copy of the route.

const { clerkTokenOf, RejectedRequest } = require('./strategy');

const ownScope = 'plugin::users-permissions.user.me';
const rowActions = ['user.findOne', 'user.update', 'user.destroy'];

const withAuth = (route, auth) => ({ ...route, config: { ...route.config, auth: { ...route.config?.auth, ...auth } } });

// Routes without authentication and routes that name their strategies stay as the site configured them.
function useOnlyOurStrategy(ctx, name) {
  const { route } = ctx.state;
  const auth = route?.config?.auth;
  if (route?.info?.type !== 'content-api' || auth === false || auth?.strategies) return;
  if (clerkTokenOf(ctx) !== null) ctx.state.route = withAuth(route, { strategies: [name] });
}

// ownership.js checks whether it is the user's own row. API tokens do not have users/me and keep their scope.
function acceptOwnScope(ctx) {
  const { route, auth, user } = ctx.state;
  const isRowOfUsers = route?.info?.pluginName === 'users-permissions' && rowActions.includes(route.handler);
  if (isRowOfUsers && user && auth?.ability?.can(ownScope)) ctx.state.route = withAuth(route, { scope: [ownScope] });
}

function respond(ctx, { status, message, retryAfterS }) {
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
    useOnlyOurStrategy(ctx, strategy.name);
    try {
      return await authenticate(ctx, () => {
        acceptOwnScope(ctx);
        return next();
      });
    } catch (error) {
      if (!(error instanceof RejectedRequest)) throw error;
      return respond(ctx, error);
    }
  };
}

module.exports = { authenticateClerkFirst };
