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

// POST /document-service {type, create} or {type, method, params}: Strapi's own way to write and read rows, with which ours
// are compared. The REST API cannot serve for users: it requires a password.
function serveDocumentService(strapi, token) {
  const handler = async (ctx) => {
    if (ctx.get('x-site-token') !== token) return ctx.unauthorized();
    const { type, create, method = 'create', params = create } = ctx.request.body;
    ctx.body = await strapi.documents(type)[method](params); // no result is a 204
  };
  strapi.server.routes([{ method: 'POST', path: '/document-service', handler, config: { auth: false } }]);
}

module.exports = {
  register({ strapi }) {
    if (process.env.SITE_API_TOKEN) serveDocumentService(strapi, process.env.SITE_API_TOKEN);
  },

  async bootstrap({ strapi }) {
    if (process.env.SITE_API_TOKEN) await ensureApiToken(strapi, process.env.SITE_API_TOKEN);
  },
};
