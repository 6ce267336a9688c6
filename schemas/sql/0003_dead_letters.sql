-- What became of dead letters: the topic itself can only grow. A letter that stands here is closed; the others are open
-- for as long as the topic keeps them. Marks of letters that the topic has let go are removed when new ones are written.
create table if not exists clerk_sync.dead_letter_mark (
  cluster_id    text        not null,
  topic         text        not null,
  partition     integer     not null,
  record_offset bigint      not null,   -- of the letter in the dead-letter topic
  mark          text        not null check (mark in ('redriven', 'discarded')),
  marked_at     timestamptz not null default now(),
  primary key (cluster_id, topic, partition, record_offset)
);
