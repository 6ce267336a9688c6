'use strict';

// deploy/local/strapi copies our plugin into the site, because a plugin must find the site's own
// @strapi/utils. SITE_PLUGIN=off boots the site as if the plugin had been removed. Without CLERK_INGEST_URL no
// clerk-ingest verifies Clerk's tokens, and all else works. SITE_PLUGIN_OPTIONS: more options of the plugin, as JSON.
module.exports = ({ env }) => ({
  'clerk-sync': {
    enabled: env('SITE_PLUGIN', 'on') !== 'off',
    resolve: './plugins/clerk-sync',
    config: { ingestUrl: env('CLERK_INGEST_URL', 'http://127.0.0.1:9'), ...env.json('SITE_PLUGIN_OPTIONS', {}) },
  },
  'users-permissions': {
    config: {
      jwtSecret: env('JWT_SECRET'),
      jwtManagement: env('SITE_JWT_MANAGEMENT', 'legacy-support'),
      ...(env('SITE_JWT_ALGORITHM') ? { jwt: { algorithm: env('SITE_JWT_ALGORITHM') } } : {}),
    },
  },
});
