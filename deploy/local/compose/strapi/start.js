'use strict';

// Strapi reads secrets from variables only: set NAME from the content of each NAME_FILE, then start Strapi.
const { readFileSync } = require('node:fs');

for (const [name, file] of Object.entries(process.env))
  if (name.endsWith('_FILE')) process.env[name.slice(0, -'_FILE'.length)] = readFileSync(file, 'utf8').trim();

const { DATABASE_HOST, DATABASE_NAME, DATABASE_USERNAME, DATABASE_PASSWORD } = process.env;
process.env.DATABASE_URL = `postgresql://${DATABASE_USERNAME}:${encodeURIComponent(DATABASE_PASSWORD)}@${DATABASE_HOST}/${DATABASE_NAME}`;

require('@strapi/strapi').createStrapi({ distDir: __dirname }).start();
