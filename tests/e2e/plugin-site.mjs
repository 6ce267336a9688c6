// The site of the plugin's tests: its users as rows of Strapi, the permissions of its roles, and the token of each caller.

import assert from 'node:assert/strict';
import { newSiteDatabase, startStrapi } from './support.mjs';
import { clerkToken, strapiJwt } from './verify-stage.mjs';

// Fixed ids, so that the table of the tests can name them and a deleted row can be restored.
export const people = {
  owner: { id: 901, clerkId: 'user_2owner' },
  other: { id: 902, clerkId: 'user_2other' },
  blocked: { id: 903, clerkId: 'user_2blocked', blocked: true },
  provisioned: { id: 904, clerkId: 'user_2first' },
  local: { id: 905, clerkId: null },
};

const documentIdOf = ({ id }) => `d${String(id).padStart(23, '0')}`;

// Restores missing users, as the worker would; without their Clerk ids where no plugin declares the column.
export async function putPeople(database) {
  const columns = await database.rows("select 1 from information_schema.columns where table_name = 'up_users' and column_name = 'clerk_id'");
  for (const [name, person] of Object.entries(people)) {
    await database.rows(
      `insert into up_users (id, document_id, username, email, provider, confirmed, blocked, created_at, updated_at, published_at)
       values ($1, $2, $3::text, lower($3::text) || '@example.com', $4, true, $5, now(), now(), now()) on conflict (id) do nothing`,
      [person.id, documentIdOf(person), name, person.clerkId ? 'clerk' : 'local', person.blocked === true],
    );
    if (columns.length > 0) await database.rows('update up_users set clerk_id = $2 where id = $1', [person.id, person.clerkId]);
    await database.rows(
      `insert into up_users_role_lnk (user_id, role_id, user_ord) select $1::int, r.id, 1 from up_roles r
        where r.type = 'authenticated' and not exists (select 1 from up_users_role_lnk l where l.user_id = $1::int)`,
      [person.id],
    );
  }
}

export const answerFor = (name, role = { id: 1, type: 'authenticated', name: 'Authenticated' }) => ({
  id: people[name].id, documentId: documentIdOf(people[name]), username: name, email: `${name}@example.com`.toLowerCase(), confirmed: true, blocked: false, role,
});

// Sets what a role may do, through the API of the admin panel's page of roles.
export async function setRole(strapi, type, change) {
  const { body } = await strapi.call('GET', 'users-permissions/roles');
  const { id } = body.roles.find((role) => role.type === type);
  const { role } = (await strapi.call('GET', `users-permissions/roles/${id}`)).body;
  for (const [action, enabled] of Object.entries(change)) {
    const [kind, controller, name] = action.split('.');
    role.permissions[kind].controllers[controller][name].enabled = enabled;
  }
  const { status } = await strapi.call('PUT', `users-permissions/roles/${id}`, { body: { name: role.name, description: role.description, permissions: role.permissions } });
  assert.equal(status, 200);
}

const granted = (actions) => Object.fromEntries(actions.map((action) => [action, true]));

// options: of the plugin; null boots plain Strapi, which has the same users without their Clerk ids.
export async function startStrapiSite(stage, options, environment = {}) {
  const database = await newSiteDatabase();
  await putPeople(database);
  const strapi = await startStrapi(database, {
    plugin: options === null ? 'off' : 'on',
    environment: { CLERK_INGEST_URL: stage.url, SITE_PLUGIN_OPTIONS: JSON.stringify(options ?? {}), ...environment },
  });
  await setRole(strapi, 'public', granted(['api::access.access.publicOnly']));
  await setRole(strapi, 'authenticated', granted(['find', 'findOne', 'create'].map((action) => `api::user-profile.user-profile.${action}`).concat('api::access.access.members')));
  return { database, strapi };
}

export const tokens = {
  garbage: 'garbage',
  expired: clerkToken('expired'),
  badSignature: clerkToken('bad-signature'),
  owner: clerkToken('owner'),
  other: clerkToken('other'),
  actedOwner: clerkToken('acted-owner'), // an impersonator of the owner
  blocked: clerkToken('blocked'),
  deleted: clerkToken('deleted'),
  provisioned: clerkToken('provisioned'),
  localJwt: strapiJwt(people.local.id),
  clerkJwt: strapiJwt(people.owner.id),
};

export function teach(stage) {
  for (const name of ['owner', 'other']) stage.letIn(tokens[name], people[name].clerkId, answerFor(name));
  stage.letIn(tokens.actedOwner, people.owner.clerkId, answerFor('owner'), { actor: { sub: 'user_2support' } });
  stage.letIn(tokens.provisioned, people.provisioned.clerkId, answerFor('provisioned'), { delayMs: 100 });
  stage.forbid(tokens.blocked);
  stage.forbid(tokens.deleted);
}

export const bearer = (token) => (token === undefined ? {} : { authorization: `Bearer ${token}` });
