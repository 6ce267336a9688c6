'use strict';

const tokenName = 'tests';

// A full-access API token with a value the tests know: Strapi itself would only generate a random one.
async function ensureApiToken(strapi, value) {
  const tokens = strapi.db.query('admin::api-token');
  const accessKey = strapi.service('admin::api-token').hash(value);
  const existing = await tokens.findOne({ where: { name: tokenName } });
  const data = { name: tokenName, description: '', type: 'full-access', accessKey, lifespan: null, expiresAt: null };
  if (!existing) await tokens.create({ data });
  else if (existing.accessKey !== accessKey) await tokens.update({ where: { id: existing.id }, data });
}

module.exports = {
  async bootstrap({ strapi }) {
    if (process.env.SITE_API_TOKEN) await ensureApiToken(strapi, process.env.SITE_API_TOKEN);
  },
};
