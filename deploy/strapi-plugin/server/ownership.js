'use strict';

// Who may do what with a row of Strapi's users over the content API. A row is its user's own: nobody else reads, changes
// or deletes it there, except an API token, which keeps the rights that its type gives. Of his own row a user writes
// the fields that the site listed, and nothing else. Refusals are PolicyErrors, the only 403 whose text Strapi keeps.

const { errors } = require('@strapi/utils');
const { extend } = require('./extend');
const { mayNeverBeListed } = require('./options');

const isApiToken = (ctx) => ctx.state.auth?.strategy?.name === 'content-api-token';

// Equal as text: '01', '1.0' and ' 1' are not row 1, and PostgreSQL never gets to see them.
const isOwnRow = (ctx) => ctx.state.user !== undefined && String(ctx.params.id) === String(ctx.state.user.id);

const refuse = (message, details) => {
  throw new errors.PolicyError(message, details);
};

const keysOf = (body) => Object.keys(body ?? {});

function checkRow(ctx) {
  if (!isApiToken(ctx) && !isOwnRow(ctx)) refuse('Only the user himself may do this with his row.');
}

function checkUpdate(ctx, ownerMayUpdate) {
  if (isApiToken(ctx)) return;
  const keys = keysOf(ctx.request.body).filter((key) => !ownerMayUpdate.includes(key));
  if (keys.length === 0) return;
  const allowed = ownerMayUpdate.length > 0 ? `only ${ownerMayUpdate.join(', ')}` : 'no field; his profile is changed in Clerk';
  refuse(`A user may not change ${keys.join(', ')} here: he may change ${allowed}.`, { keys });
}

// Strapi needs these to make a user, and the role that may make users is trusted with them.
const neededForCreation = ['email', 'username', 'password', 'confirmed', 'blocked', 'role'];

function checkCreation(ctx) {
  if (isApiToken(ctx)) return;
  const keys = keysOf(ctx.request.body).filter((key) => mayNeverBeListed(key) && !neededForCreation.includes(key));
  if (keys.length > 0) refuse(`A new user may not be given ${keys.join(', ')}: only an API token may set that.`, { keys });
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
