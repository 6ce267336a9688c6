'use strict';

// The user's sides of the types that are related to it in both directions; it owns ownedProfile.
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
    ownedProfile: {
      type: 'relation',
      relation: 'oneToOne',
      target: 'api::owned-profile.owned-profile',
      inversedBy: 'user',
    },
    articles: {
      type: 'relation',
      relation: 'oneToMany',
      target: 'api::article.article',
      mappedBy: 'author',
    },
  });
  return plugin;
};
