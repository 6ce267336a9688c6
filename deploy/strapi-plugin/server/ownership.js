'use strict';

// Guards the rows of Strapi's users in the content API. Only the user reads, changes or deletes their own row; API
// tokens keep the rights of their type. In their own row users may write only the fields that the site lists. Every
// rejection is a PolicyError, because Strapi drops the text of any other 403.

const { errors } = require('@strapi/utils');
const { extend } = require('./extend');
const { mayNeverBeListed } = require('./options');

const isApiToken = (ctx) => ctx.state.auth?.strategy?.name === 'content-api-token';

// Compared as text: '01', '1.0' and ' 1' are not row 1, and never reach PostgreSQL.
const isOwnRow = (ctx) => ctx.state.user !== undefined && String(ctx.params.id) === String(ctx.state.user.id);

const refuse = (message, details) => {
  throw new errors.PolicyError(message, details);
};

const keysOf = (body) => Object.keys(body ?? {});

function checkRow(ctx) {
  if (!isApiToken(ctx) && !isOwnRow(ctx)) refuse('Users may access only their own record.');
}

function checkUpdate(ctx, ownerMayUpdate) {
  if (isApiToken(ctx)) return;
  const keys = keysOf(ctx.request.body).filter((key) => !ownerMayUpdate.includes(key));
  if (keys.length === 0) return;
  const allowed = ownerMayUpdate.length > 0 ? `only ${ownerMayUpdate.join(', ')}` : 'no field; the profile is changed in Clerk';
  refuse(`A user may not change ${keys.join(', ')} here: users may change ${allowed}.`, { keys });
}

// Strapi needs these to create a user, and a role that may create users is trusted with them.
const neededForCreation = ['email', 'username', 'password', 'confirmed', 'blocked', 'role'];

function checkCreation(ctx) {
  if (isApiToken(ctx)) return;
  const keys = keysOf(ctx.request.body).filter((key) => mayNeverBeListed(key) && !neededForCreation.includes(key));
  if (keys.length > 0) refuse(`Only an API token may set ${keys.join(', ')} of a new user.`, { keys });
}

function guardUserRows(strapi, { ownerMayUpdate }) {
  extend(strapi, 'controllers', 'user', (user) => ({
    findOne(ctx, ...rest) {
      checkRow(ctx);
      return user.findOne(ctx, ...rest);
    },
    update(ctx, ...rest) {
      checkRow(ctx);
      checkUpdate(ctx, ownerMayUpdate);
      return user.update(ctx, ...rest);
    },
    destroy(ctx, ...rest) {
      checkRow(ctx);
      return user.destroy(ctx, ...rest);
    },
    create(ctx, ...rest) {
      checkCreation(ctx);
      return user.create(ctx, ...rest);
    },
  }));
  extend(strapi, 'controllers', 'auth', (auth) => ({
    register(ctx, ...rest) {
      checkCreation(ctx);
      return auth.register(ctx, ...rest);
    },
  }));
}

module.exports = { guardUserRows };
