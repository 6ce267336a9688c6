'use strict';

// Declares clerkId and fullName on Strapi's users, so that the columns clerk_id and full_name exist
// and survive every boot. The rows themselves are written by clerk-worker, never by this plugin.

const userType = 'plugin::users-permissions.user';

const fields = {
  clerkId: { type: 'string', unique: true, configurable: false },
  fullName: { type: 'string' },
};

module.exports = {
  register({ strapi }) {
    if (!strapi.plugin('users-permissions')) {
      throw new Error('clerk-sync needs the plugin users-permissions: add @strapi/plugin-users-permissions to this site');
    }
    Object.assign(strapi.contentType(userType).attributes, fields);
  },

  bootstrap({ strapi }) {
    strapi.log.info('clerk-sync: users carry clerkId and fullName');
  },
};
