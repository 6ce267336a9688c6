'use strict';

// Puts the parts together. What each promises stands at the head of its file in server/; what the site sees of it, in
// the README.

const { createAbilities } = require('./server/ability');
const { authenticateClerkFirst } = require('./server/authentication');
const { createImpersonationRule } = require('./server/impersonation');
const { createIngestClient } = require('./server/ingest-client');
const { guardLocalLogin } = require('./server/local-login');
const { defaults, describe, validate } = require('./server/options');
const { createOutageLog } = require('./server/outage-log');
const { guardUserRows } = require('./server/ownership');
const { createStrategy } = require('./server/strategy');
const { checkOwnerMayUpdate, declareFields } = require('./server/user-type');
// The version of the whole product: clerk-ingest and clerk-worker report the same one.
const { version } = require('./package.json');

const optionsOf = (strapi) => strapi.config.get('plugin::clerk-sync');

let abilities;

module.exports = {
  config: { default: defaults, validator: validate },

  register({ strapi }) {
    if (!strapi.plugin('users-permissions')) {
      throw new Error('clerk-sync needs the plugin users-permissions: add @strapi/plugin-users-permissions to this site');
    }
    const algorithm = strapi.config.get('plugin::users-permissions.jwt.algorithm', 'HS256');
    if (algorithm === 'RS256') {
      throw new Error("clerk-sync tells Clerk's tokens from Strapi's by RS256: give users-permissions another jwt.algorithm");
    }
    const options = optionsOf(strapi);
    declareFields(strapi);
    checkOwnerMayUpdate(strapi, options.ownerMayUpdate);

    abilities = createAbilities({ strapi, maxAgeMs: options.abilityCacheMs });
    const ask = createIngestClient({ url: options.ingestUrl, timeoutMs: options.timeoutMs });
    const outages = createOutageLog({ log: strapi.log });
    const isClosedToActors = createImpersonationRule(options.noImpersonation);
    const strategy = createStrategy({ ask, abilityOf: abilities.of, outages, isClosedToActors });
    strapi.get('auth').register('content-api', strategy);
    authenticateClerkFirst(strapi, strategy);
    guardUserRows(strapi, options);
    guardLocalLogin(strapi, options);
  },

  bootstrap({ strapi }) {
    abilities.followRoles();
    if (strapi.plugin('clerk-auth')) {
      strapi.log.warn('clerk-sync: the plugin clerk-auth is enabled too; its routes stay as open as they are (GET /api/users to anybody)');
    }
    strapi.log.info(`clerk-sync: version ${version}; ${describe(optionsOf(strapi))}`);
  },
};
