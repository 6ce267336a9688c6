// needs: database, strapi
// Strapi's start: a site with a meaningless option does not start, and a site that still has the plugin
// strapi-plugin-clerk-auth beside ours gets a warning that names what stays open.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { copySite, newSiteDatabase, startStrapi } from './support.mjs';

let database;
before(async () => {
  database = await newSiteDatabase();
});

const startsNot = (environment, message) => assert.rejects(startStrapi(database, { environment }), ({ stderr }) => message.test(stderr) || assert.fail(stderr));

test('plugin: a site with an unknown option does not start, and the log names the option', () =>
  startsNot({ SITE_PLUGIN_OPTIONS: '{"ownerMayUpdates":["fullName"]}' }, /Error regarding clerk-sync config: there is no option ownerMayUpdates; the options are ingestUrl/));

test('plugin: a site that lets users write a missing field does not start, and names the field', () =>
  startsNot({ SITE_PLUGIN_OPTIONS: '{"ownerMayUpdate":["fullName","shoeSize"]}' }, /clerk-sync: ownerMayUpdate lists shoeSize, but the user type of this site has no such field/));

test("plugin: a site whose own tokens look like Clerk's does not start", () =>
  startsNot({ SITE_JWT_ALGORITHM: 'RS256' }, /clerk-sync recognises Clerk's tokens by RS256, so Strapi must not use it: set another jwt.algorithm for users-permissions/));

test('plugin: beside the legacy plugin it starts, and the log names what stays open', async () => {
  const site = await copySite();
  const old = path.join(site, 'plugins/clerk-auth');
  mkdirSync(old);
  writeFileSync(path.join(old, 'package.json'), JSON.stringify({ name: 'strapi-plugin-clerk-auth', version: '1.0.0', strapi: { kind: 'plugin', name: 'clerk-auth' } }));
  writeFileSync(path.join(old, 'strapi-server.js'), 'module.exports = {};');
  const config = path.join(site, 'config/plugins.js');
  writeFileSync(config, readFileSync(config, 'utf8').replace("'users-permissions':", "'clerk-auth': { enabled: true, resolve: './plugins/clerk-auth' },\n  'users-permissions':"));
  const strapi = await startStrapi(database, { site });
  assert.match(strapi.log(), /clerk-sync: the plugin clerk-auth is enabled too and serves GET \/api\/users without a token: remove clerk-auth from config\/plugins.js/);
});
