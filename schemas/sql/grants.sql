-- The programs need these two database roles. `migrate` is run by the owner of Strapi's tables.
-- Create them first (create role clerk_worker login password '…'; the same for clerk_ingest), then run this as the
-- owner, adding the tables and link tables of your profile content types.

-- worker: reads and writes users, role links, profiles, and clerk_sync.
grant usage on schema public, clerk_sync to clerk_worker;
grant select, insert, update, delete on public.up_users, public.up_users_role_lnk to clerk_worker;
grant usage on sequence public.up_users_id_seq, public.up_users_role_lnk_id_seq to clerk_worker;
grant select on public.up_roles, public.strapi_database_schema, public.strapi_core_store_settings to clerk_worker;
-- Run again after a `migrate` that created a table. `reconcile` creates temporary tables, which PostgreSQL allows by default.
grant select, insert, update, delete on all tables in schema clerk_sync to clerk_worker;
-- for each profile type, e.g. user-profile:
--   grant select, insert, update, delete on public.user_profiles, public.user_profiles_user_lnk to clerk_worker;
--   grant usage on sequence public.user_profiles_id_seq, public.user_profiles_user_lnk_id_seq to clerk_worker;
-- EMAIL_CONFLICT=link: a local row replaces one of ours only if no content refers to ours. So the worker reads every table
-- that refers to users, media included. Run this again after adding a content type with such a relation. If the worker
-- may not read such a table, it keeps both rows and counts not_linked.
do $$ declare related regclass; begin
  for related in
    select conrelid::regclass from pg_constraint where contype = 'f' and confrelid = 'public.up_users'::regclass
    union select to_regclass('public.files_related_mph') where to_regclass('public.files_related_mph') is not null
  loop
    execute format('grant select on %s to clerk_worker', related);
  end loop;
end $$;

-- ingest: reads a user's identity, never a password or a reset token.
grant usage on schema public, clerk_sync to clerk_ingest;
grant select (id, document_id, username, email, confirmed, blocked, clerk_id) on public.up_users to clerk_ingest;
grant select on public.up_users_role_lnk to clerk_ingest;
grant select (id, name, type) on public.up_roles to clerk_ingest;
grant select (clerk_id, tombstone) on clerk_sync.user_state to clerk_ingest;
-- Kafka settings that worked (0005_kafka_contact.sql): ingest looks for its own, and adds them once per day.
grant select (fingerprint), insert (fingerprint) on clerk_sync.kafka_contact to clerk_ingest;
