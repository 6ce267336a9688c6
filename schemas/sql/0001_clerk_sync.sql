-- Our state, beside Strapi's tables and never tied to them: no foreign key, view or trigger of ours touches a table of
-- Strapi's, or Strapi could not drop or alter it at its next boot.
-- Run by `clerk-worker migrate`, again at every release: each statement may meet its own work.

create schema if not exists clerk_sync;

-- One row a Clerk user. The version decides what is newer (compared as a tuple); a tombstone wins for ever.
create table if not exists clerk_sync.user_state (
  clerk_id       text primary key,
  tombstone      boolean not null,
  updated_at_ms  bigint  not null,   -- version: Clerk's updated_at,
  event_ms       bigint  not null,   --   the event's own time,
  event_id       text    not null,   --   the svix-id,
  body_hash      bytea   not null,   --   SHA-256 of the body
  email          text,               -- what the user asks for; null for a deleted one
  email_verified boolean not null,
  username       text,
  full_name      text,
  banned         boolean not null,
  created_at_ms  bigint  not null,   -- Clerk's created_at
  strapi_id      integer,            -- what we gave
  document_id    text    not null,
  role_id        integer,
  profile_name   text,               -- the last name written into his profiles
  blocked_by_us  boolean not null,
  mapping_hash   text    not null,   -- of the mapping and configuration that wrote his rows
  waits_for      text[],             -- values he asks for and does without, because somebody else has them; null: none
  role_hints     text[],             -- what public_metadata says for ROLE_MAP; null: nothing
  role_answer    text                -- what ROLE_MAP said when role_id was settled; null: Strapi's default role
) with (fillfactor = 80);            -- room for updates in place
alter table clerk_sync.user_state
  add column if not exists waits_for text[],
  add column if not exists role_hints text[],
  add column if not exists role_answer text;

-- Whose turn is it when a value becomes free? Holds only those who do without something: next to nobody.
create index if not exists user_state_waits_for on clerk_sync.user_state using gin (waits_for) with (fastupdate = off)
  where waits_for is not null;
-- Is this row without a Clerk id a local user's, or one of ours that lost it with its column?
create index if not exists user_state_strapi_id on clerk_sync.user_state (strapi_id);

-- The next offset of each partition, written in the transaction of its rows: a restored backup re-reads what it lacks.
create table if not exists clerk_sync.next_offset (
  cluster_id text    not null,
  topic      text    not null,
  partition  integer not null,
  value      bigint  not null,
  primary key (cluster_id, topic, partition)
);
