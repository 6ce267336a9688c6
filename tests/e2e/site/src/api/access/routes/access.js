'use strict';

// Routes of every kind of guard, for the tests of the plugin: none, a permission, a policy of the site, strategies of
// its own, and a handler without a name, which any signed-in user may call.
const show = (path, handler, config = {}) => ({ method: 'GET', path: `/access/${path}`, handler, config });

module.exports = {
  routes: [
    show('open', 'access.open', { auth: false }),
    show('public-only', 'access.publicOnly'),
    show('members', 'access.members', { policies: ['is-member'] }),
    show('denied', 'access.denied'),
    show('strapi-only', 'access.members', { auth: { strategies: ['users-permissions'] } }),
    show('nameless', (ctx) => {
      ctx.body = { user: ctx.state.user?.id ?? null };
    }),
  ],
};
