-- Progress of long operator commands, so that they continue after a stop or a crash. Run by `clerk-worker migrate`.

-- `clerk-worker backfill`: one row per Clerk instance, written only after the brokers have what was read.
create table if not exists clerk_sync.backfill (
  instance_id text primary key,
  begun_ms    bigint not null,     -- start of the run; users changed since then are read again at its end
  since_ms    bigint,              -- --since: only users changed after it; null: all users
  pass        text   not null,     -- all, since, changed (users changed during the run), or done
  position    text   not null,     -- all: ids after which to continue, newest first; since: number of users read
  published   bigint not null,     -- users so far
  written_at  timestamptz not null default now()
);
