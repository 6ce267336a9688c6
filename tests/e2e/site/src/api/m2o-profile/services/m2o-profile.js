'use strict';

const { createCoreService } = require('@strapi/strapi').factories;

module.exports = createCoreService('api::m2o-profile.m2o-profile');
