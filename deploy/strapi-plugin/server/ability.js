'use strict';

// What a role may do, in the form Strapi's permission engine asks for. Kept per role: a change of a role or of its
// permissions in this process forgets everything at once, one in another process shows after maxAgeMs.

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
    // Requests of one role that come together share one query.
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

    // A new map, not an emptied one: what is being read at this moment must not be kept.
    followRoles() {
      const forget = () => {
        kept = new Map();
      };
      strapi.db.lifecycles.subscribe({ models: watched, ...Object.fromEntries(changes.map((change) => [change, forget])) });
    },
  };
}

module.exports = { createAbilities };
