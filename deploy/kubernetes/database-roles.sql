-- The two roles that suffice for running, with their rights. For psql, as the owner of Strapi's tables who may also create
-- roles, after `clerk-worker migrate`; may be run again at any time, and must be after each `migrate`.
--
--   CLERK_INGEST_DATABASE_PASSWORD=... CLERK_WORKER_DATABASE_PASSWORD=... psql "$OWNER_URL" -f database-roles.sql
--
-- A variable that is not set leaves that password as it is (`\password clerk_ingest` asks for one and sends its hash
-- alone). To change one: the role here, then the Secret; connections that are open stay, new ones read the file anew.
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
-- `reconcile` makes temporary tables.
grant temporary on database :"DBNAME" to clerk_worker;
\ir ../../schemas/sql/grants.sql
commit;
