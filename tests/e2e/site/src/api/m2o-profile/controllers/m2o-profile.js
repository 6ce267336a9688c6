'use strict';

const { createCoreController } = require('@strapi/strapi').factories;

module.exports = createCoreController('api::m2o-profile.m2o-profile');
