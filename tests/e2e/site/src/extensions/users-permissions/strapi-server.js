'use strict';

// The inverse sides of the two profile types that are related to the user in both directions.
module.exports = (plugin) => {
  Object.assign(plugin.contentTypes.user.schema.attributes, {
    bidiProfile: {
      type: 'relation',
      relation: 'oneToOne',
      target: 'api::bidi-profile.bidi-profile',
      mappedBy: 'user',
    },
    m2oProfiles: {
      type: 'relation',
      relation: 'oneToMany',
      target: 'api::m2o-profile.m2o-profile',
      mappedBy: 'user',
    },
  });
  return plugin;
};
