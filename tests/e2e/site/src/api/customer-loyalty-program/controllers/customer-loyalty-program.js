'use strict';

const { createCoreController } = require('@strapi/strapi').factories;

module.exports = createCoreController('api::customer-loyalty-program.customer-loyalty-program');
