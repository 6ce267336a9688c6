'use strict';

const { createCoreService } = require('@strapi/strapi').factories;

module.exports = createCoreService('api::customer-loyalty-program.customer-loyalty-program');
