'use strict';

// The abilities of a role, as Strapi's permission engine needs them, cached per role. A change of a role or of its
// permissions in this process clears the cache at once; a change in another process takes effect after maxAgeMs.

const rolesMax = 1000;
const watched = ['plugin::users-permissions.role', 'plugin::users-permissions.permission'];
const changes = ['afterCreate', 'afterCreateMany', 'afterUpdate', 'afterUpdateMany', 'afterDelete', 'afterDeleteMany'];

function createAbilities({ strapi, maxAgeMs, now = () => performance.now() }) {
  let kept = new Map();

  const load = async (roleId) => {
    const service = strapi.plugin('users-permissions').service('permission');
    const permissions = roleId === null ? [] : await service.findRolePermissions(roleId);
    return strapi.contentAPI.permissions.engine.generateAbility(permissions.map(service.toContentAPIPermission));
  };

  return {
    // Single flight: concurrent requests of one role share one query.
    of(roleId) {
      const known = kept.get(roleId);
      if (known && now() - known.since < maxAgeMs) return known.ability;
      if (kept.size >= rolesMax) kept.clear();
      const mine = { since: now(), ability: load(roleId) };
      const map = kept;
      map.set(roleId, mine);
      mine.ability.catch(() => map.get(roleId) === mine && map.delete(roleId));
      return mine.ability;
    },

    // Replaces the map instead of clearing it: a query that is running now must not end in the new cache.
    followRoles() {
      const forget = () => {
        kept = new Map();
      };
      strapi.db.lifecycles.subscribe({ models: watched, ...Object.fromEntries(changes.map((change) => [change, forget])) });
    },
  };
}

module.exports = { createAbilities };
