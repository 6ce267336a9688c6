'use strict';

// Replaces actions of a controller, or methods of a service, of users-permissions. GraphQL calls the same objects, so
// the guards hold for REST and GraphQL. `replace(original)` returns the new functions by name.

function extend(strapi, registry, name, replace) {
  strapi.get(registry).extend(`plugin::users-permissions.${name}`, (original) =>
    Object.assign(Object.create(Object.getPrototypeOf(original)), original, replace(original)),
  );
}

module.exports = { extend };
