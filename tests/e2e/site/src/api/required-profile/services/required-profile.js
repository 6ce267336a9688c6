'use strict';

const { createCoreService } = require('@strapi/strapi').factories;

module.exports = createCoreService('api::required-profile.required-profile');
