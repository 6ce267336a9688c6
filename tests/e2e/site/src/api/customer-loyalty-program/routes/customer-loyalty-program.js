'use strict';

const { createCoreRouter } = require('@strapi/strapi').factories;

module.exports = createCoreRouter('api::customer-loyalty-program.customer-loyalty-program');
