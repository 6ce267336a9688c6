-- State of clerk-strapi-sync, beside Strapi's tables. It has no foreign key, view or trigger on a table of Strapi, because
-- Strapi could then not drop or alter that table when it starts.
-- `clerk-worker migrate` runs this file, again with each release. Each statement may run more than once.

create schema if not exists clerk_sync;

-- One row per Clerk user. The version, compared as a tuple, decides which event is newer. A tombstone is final.
create table if not exists clerk_sync.user_state (
  clerk_id       text primary key,
  tombstone      boolean not null,
  updated_at_ms  bigint  not null,   -- version: Clerk's updated_at,
  event_ms       bigint  not null,   --   the event's own time,
  event_id       text    not null,   --   the svix-id,
  body_hash      bytea   not null,   --   SHA-256 of the body
  email          text,               -- desired e-mail; null when deleted
  email_verified boolean not null,
  username       text,
  full_name      text,
  banned         boolean not null,
  created_at_ms  bigint  not null,   -- Clerk's created_at
  strapi_id      integer,            -- Strapi's row of the user
  document_id    text    not null,
  role_id        integer,
  profile_name   text,               -- last name written into the profiles
  blocked_by_us  boolean not null,
  mapping_hash   text    not null,   -- of the mapping and configuration that wrote the rows
  waits_for      text[],             -- desired values that another user has; null: none
  role_hints     text[],             -- values in public_metadata that ROLE_MAP reads; null: none
  role_answer    text                -- result of ROLE_MAP for role_id; null: Strapi's default role
) with (fillfactor = 80);            -- room for updates in place
alter table clerk_sync.user_state
  add column if not exists waits_for text[],
  add column if not exists role_hints text[],
  add column if not exists role_answer text;

-- Waiting list: who waits for a value that becomes free. Holds only users who wait, so it is small.
create index if not exists user_state_waits_for on clerk_sync.user_state using gin (waits_for) with (fastupdate = off)
  where waits_for is not null;
-- Distinguishes a local user's row from one of ours that lost its Clerk id with the column.
create index if not exists user_state_strapi_id on clerk_sync.user_state (strapi_id);

-- The next offset of each partition, written in the transaction of its rows: after a restored
-- backup the worker reads again what the backup lacks.
create table if not exists clerk_sync.next_offset (
  cluster_id text    not null,
  topic      text    not null,
  partition  integer not null,
  value      bigint  not null,
  primary key (cluster_id, topic, partition)
);
