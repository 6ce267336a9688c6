-- Closed dead letters, redriven or discarded. All others are open as long as the topic keeps them. The topic itself can
-- only grow. Marks of records that the topic has deleted are removed when new marks are written.
create table if not exists clerk_sync.dead_letter_mark (
  cluster_id    text        not null,
  topic         text        not null,
  partition     integer     not null,
  record_offset bigint      not null,   -- in the dead-letter topic
  mark          text        not null check (mark in ('redriven', 'discarded')),
  marked_at     timestamptz not null default now(),
  primary key (cluster_id, topic, partition, record_offset)
);
