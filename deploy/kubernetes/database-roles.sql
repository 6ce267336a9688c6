-- Creates the two database roles of the programs, with their rights. Run it with psql after each `clerk-worker migrate`,
-- as the owner of Strapi's tables with the right to create roles. It is safe to run again at any time.
--
--   CLERK_INGEST_DATABASE_PASSWORD=... CLERK_WORKER_DATABASE_PASSWORD=... psql "$OWNER_URL" -f database-roles.sql
--
-- If a variable is not set, that password stays (`\password clerk_ingest` asks for one and sends only its hash). To
-- change a password, change the role first, then the Secret. Open connections stay; new connections read the changed
-- file.
\set ON_ERROR_STOP on
\getenv ingest_password CLERK_INGEST_DATABASE_PASSWORD
\getenv worker_password CLERK_WORKER_DATABASE_PASSWORD
begin;
select format('create role %I login', name) from unnest(array['clerk_ingest', 'clerk_worker']) name
where not exists (select from pg_roles where rolname = name) \gexec
\if :{?ingest_password}
alter role clerk_ingest password :'ingest_password';
\endif
\if :{?worker_password}
alter role clerk_worker password :'worker_password';
\endif
grant connect on database :"DBNAME" to clerk_ingest, clerk_worker;
-- `reconcile` creates temporary tables.
grant temporary on database :"DBNAME" to clerk_worker;
\ir ../../schemas/sql/grants.sql
commit;
