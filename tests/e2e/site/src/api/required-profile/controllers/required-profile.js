'use strict';

const { createCoreController } = require('@strapi/strapi').factories;

module.exports = createCoreController('api::required-profile.required-profile');
