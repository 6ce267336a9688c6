'use strict';

const { createCoreService } = require('@strapi/strapi').factories;

module.exports = createCoreService('api::owned-profile.owned-profile');
