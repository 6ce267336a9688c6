'use strict';

// Connects the parts. The head of each file in server/ has its guarantees; README.md describes what the site sees.

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
      throw new Error("clerk-sync recognises Clerk's tokens by RS256, so Strapi must not use it: set another jwt.algorithm for users-permissions");
    }
    const options = optionsOf(strapi);
    declareFields(strapi);
    checkOwnerMayUpdate(strapi, options.ownerMayUpdate);

    abilities = createAbilities({ strapi, maxAgeMs: options.abilityCacheMs });
    const verifyToken = createIngestClient({ url: options.ingestUrl, timeoutMs: options.timeoutMs });
    const outages = createOutageLog({ log: strapi.log });
    const isClosedToActors = createImpersonationRule(options.noImpersonation);
    const strategy = createStrategy({ verifyToken, abilityOf: abilities.of, outages, isClosedToActors });
    strapi.get('auth').register('content-api', strategy);
    authenticateClerkFirst(strapi, strategy);
    guardUserRows(strapi, options);
    guardLocalLogin(strapi, options);
  },

  bootstrap({ strapi }) {
    abilities.followRoles();
    if (strapi.plugin('clerk-auth')) {
      strapi.log.warn('clerk-sync: the plugin clerk-auth is enabled too and serves GET /api/users without a token: remove clerk-auth from config/plugins.js');
    }
    strapi.log.info(`clerk-sync: version ${version}; ${describe(optionsOf(strapi))}`);
  },
};
