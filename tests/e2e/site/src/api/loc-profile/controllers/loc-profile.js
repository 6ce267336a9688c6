'use strict';

const { createCoreController } = require('@strapi/strapi').factories;

module.exports = createCoreController('api::loc-profile.loc-profile');
