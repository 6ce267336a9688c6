-- Kafka settings that worked. ingest may become ready during an outage of the brokers if its own settings are here
-- (ingest/README.md, Readiness). Run by `clerk-worker migrate`.
--
-- One row per settings and day, inserted by the worker and by every ingest that reached the brokers and found its topics. The
-- worker removes rows after 90 days.
create table if not exists clerk_sync.kafka_contact (
  fingerprint bytea not null,                        -- SHA-256 of KAFKA_BROKERS, security protocol and topic names
  seen_on     date  not null default current_date,
  primary key (fingerprint, seen_on)
);
