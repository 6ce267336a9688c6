'use strict';

const { createCoreService } = require('@strapi/strapi').factories;

module.exports = createCoreService('api::loc-profile.loc-profile');
