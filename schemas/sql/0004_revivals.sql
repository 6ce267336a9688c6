-- When an operator lifted the tombstone, because Clerk's API has the user (`clerk-worker user ID --revive`). Deletions
-- dated before this time are ignored. Null: never lifted.
alter table clerk_sync.user_state
  add column if not exists revived_at_ms bigint;
