// A user as Strapi returns it: by its REST API, by its document service, and beside both by SQL.

import assert from 'node:assert/strict';

export const userUid = 'plugin::users-permissions.user';
export const uidOf = (name) => `api::${name}.${name}`;

// The profile types of the test site: as Strapi's API calls them, and as the worker is configured.
export const profileTypes = {
  'user-profile': { table: 'user_profiles', link: ['user_profiles_user_lnk', 'user_profile_id'], drafts: false }, // with defaults
  'member-profile': { table: 'member_profiles', link: ['member_profiles_user_lnk', 'member_profile_id'], drafts: true },
  'loc-profile': { table: 'loc_profiles', link: ['loc_profiles_user_lnk', 'loc_profile_id'], drafts: true }, // and localized
  'required-profile': { table: 'required_profiles', link: ['required_profiles_user_lnk', 'required_profile_id'], drafts: true }, // and localized
  'bidi-profile': { table: 'bidi_profiles', link: ['bidi_profiles_user_lnk', 'bidi_profile_id'], drafts: false },
  'owned-profile': { table: 'owned_profiles', link: ['up_users_owned_profile_lnk', 'owned_profile_id'], drafts: false },
  'm2o-profile': { table: 'm2o_profiles', link: ['m_2_o_profiles_user_lnk', 'm_2_o_profile_id'], drafts: false },
};
export const allProfiles = Object.keys(profileTypes).map(uidOf).join(',');

// strapi.documents(type)[method](params), in the running Strapi.
export async function documents(strapi, type, method, params) {
  const answer = await fetch(`${strapi.url}/document-service`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-site-token': strapi.token },
    body: JSON.stringify({ type, method, params }),
  });
  if (answer.status === 204) return null;
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

// REST, with full access; fails unless Strapi accepts.
export async function rest(strapi, method, route, body) {
  const answer = await strapi.call(method, route, { body });
  assert.ok(answer.status >= 200 && answer.status < 300, `${method} ${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

// The user as Strapi returns it, the same by both APIs; null when neither has it.
export async function shownUser(strapi, clerkId) {
  const list = await rest(strapi, 'GET', `users?filters[clerkId][$eq]=${clerkId}&populate=role`);
  const found = await documents(strapi, userUid, 'findMany', { filters: { clerkId: { $eq: clerkId } }, populate: ['role'] });
  assert.equal(list.length, found.length, `${clerkId}: REST shows ${list.length} users, the document service ${found.length}`);
  assert.ok(list.length <= 1, `${clerkId} is ${list.length} users`);
  if (!list.length) return null;
  for (const key of ['id', 'documentId', 'username', 'email', 'fullName', 'blocked', 'provider', 'createdAt']) assert.equal(list[0][key], found[0][key], key);
  assert.equal(list[0].role?.type, found[0].role?.type);
  return list[0];
}

// The user's profiles of one type by both APIs: drafts where the type has them, or what is published.
export async function shownProfiles(strapi, clerkId, type, { status = profileTypes[type].drafts ? 'draft' : 'published', locale } = {}) {
  const query = profileTypes[type].drafts ? `&status=${status}` : '';
  const { data } = await rest(strapi, 'GET', `${type}s?filters[user][clerkId][$eq]=${clerkId}&populate=*${query}${locale ? `&locale=${locale}` : ''}`);
  const found = await documents(strapi, uidOf(type), 'findMany', { filters: { user: { clerkId: { $eq: clerkId } } }, status, ...(locale ? { locale } : {}) });
  const inOrder = (list) => list.map(({ documentId, name }) => `${documentId} ${name}`).sort();
  assert.deepEqual(inOrder(data), inOrder(found), type);
  return data;
}

// The user's only profile of each type, by name: {'user-profile': 'Ada Lovelace', …}.
export async function shownNames(strapi, clerkId) {
  const names = {};
  for (const type of Object.keys(profileTypes)) {
    const shown = await shownProfiles(strapi, clerkId, type);
    assert.equal(shown.length, 1, `${clerkId} has ${shown.length} profiles of ${type}`);
    names[type] = shown[0].name;
  }
  return names;
}

export const sameName = (name) => Object.fromEntries(Object.keys(profileTypes).map((type) => [type, name]));

// Rows of all profile types that are linked to no user, or of which one document occurs twice in a locale and status.
export async function assertSoundProfiles(database) {
  for (const [type, { table, link: [link, column] }] of Object.entries(profileTypes)) {
    assert.deepEqual(await database.rows(`select id from ${table} p where not exists (select 1 from ${link} l where l.${column} = p.id)`), [], `${type}: rows without a user`);
    assert.deepEqual(
      await database.rows(`select document_id from ${table} group by document_id, locale, published_at is null having count(*) > 1`),
      [],
      `${type}: one document twice`,
    );
  }
}
