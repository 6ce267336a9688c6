'use strict';

// Declares the two fields that clerk-worker writes, so that Strapi creates their columns and keeps them at every boot,
// and checks the fields that users may write.

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
