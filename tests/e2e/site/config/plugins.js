'use strict';

// deploy/local/strapi copies our plugin into the site, because a plugin must find the site's own
// @strapi/utils. SITE_PLUGIN=off boots the site as if the plugin had been removed.
module.exports = ({ env }) => ({
  'clerk-sync': {
    enabled: env('SITE_PLUGIN', 'on') !== 'off',
    resolve: './plugins/clerk-sync',
  },
  'users-permissions': { config: { jwtSecret: env('JWT_SECRET') } },
});
