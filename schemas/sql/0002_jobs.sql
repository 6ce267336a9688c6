-- Where long jobs of the operator stand, so that they go on after a stop or a crash. Run by `clerk-worker migrate`.

-- `clerk-worker backfill`: one row a Clerk instance. Written after the brokers have what was read, never before.
create table if not exists clerk_sync.backfill (
  instance_id text primary key,
  begun_ms    bigint not null,     -- when the run began: what changed since then is read again at its end
  since_ms    bigint,              -- --since: only users changed after it; null: all users
  pass        text   not null,     -- all, since, changed (what changed meanwhile), or done
  position    text   not null,     -- all: ids to read on after, the newest first; since: how many were read
  published   bigint not null,     -- users so far
  written_at  timestamptz not null default now()
);
