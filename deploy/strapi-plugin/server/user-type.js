'use strict';

// The fields of Strapi's user type: the two that clerk-worker writes, so that their columns exist and survive every
// boot, and those of the site that a user may write himself.

const userType = 'plugin::users-permissions.user';

const fields = {
  clerkId: { type: 'string', unique: true, configurable: false },
  fullName: { type: 'string' },
};

function declareFields(strapi) {
  Object.assign(strapi.contentType(userType).attributes, fields);
}

function checkOwnerMayUpdate(strapi, keys) {
  const { attributes } = strapi.contentType(userType);
  const unknown = keys.filter((key) => !Object.hasOwn(attributes, key));
  if (unknown.length === 0) return;
  throw new Error(`clerk-sync: ownerMayUpdate lists ${unknown.join(', ')}, but the user type of this site has no such field`);
}

module.exports = { userType, declareFields, checkOwnerMayUpdate };
