-- A tombstone that a person lifted, because Clerk says that the user is there (`clerk-worker user … --revive`):
-- deletions that are dated before this time are stale from then on. Null: never lifted.
alter table clerk_sync.user_state
  add column if not exists revived_at_ms bigint;
