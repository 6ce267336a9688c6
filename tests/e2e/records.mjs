// Kafka through a client that is not librdkafka: records as a foreign or broken producer sends
// them, what a topic holds, and what a group has committed.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import kafkajs from 'kafkajs';
import { createTopics, uniqueName, waitFor } from './support.mjs';

const { Kafka, Partitioners, logLevel } = kafkajs;

// A user event as clerk-ingest publishes it (schemas/README.md); `headers: {name: undefined}` leaves one out.
export function eventRecord(envelope, { id = `msg_${randomBytes(12).toString('hex')}`, headers = {}, ...fields } = {}) {
  const userId = envelope.data?.id;
  const all = {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: `/clerk/${envelope.instance_id}`,
    ce_type: `clerk.${envelope.type}`,
    ce_subject: userId,
    ce_time: new Date(envelope.timestamp).toISOString(),
    ce_dataschema: 'urn:clerk-strapi-sync:user-event:1',
    'content-type': 'application/json',
    ...headers,
  };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return { key: userId, value: JSON.stringify(envelope), headers: kept, ...fields };
}

const batch = 300; // records of our size that brokers take at once

const textOf = (value) => (value == null ? null : value.toString('utf8'));

const connections = new Set();
after(() => Promise.allSettled([...connections].map((one) => one.disconnect())));

// A connection that ends with the test file.
export async function connectKafka(brokers = process.env.TEST_KAFKA_BROKERS) {
  const kafka = new Kafka({ clientId: 'end-to-end-tests', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false });
  connections.add(admin).add(producer);
  await Promise.all([admin.connect(), producer.connect()]);
  // For a topic that was created a moment ago the broker may respond that it does not lead it yet.
  const offsetsOf = (topic) => waitFor(() => admin.fetchTopicOffsets(topic), { what: `the offsets of ${topic}` });

  return {
    topics: () => admin.listTopics(),
    deleteTopic: (topic) => admin.deleteTopics({ topics: [topic] }),
    // Appends one record and returns its offset.
    async append(topic, record) {
      const [{ errorCode, partition, baseOffset }] = await producer.send({ topic, acks: -1, messages: [record] });
      assert.equal(errorCode, 0);
      return { partition, offset: Number(baseOffset) };
    },
    // Appends all to one partition, in order, and returns the offset of each.
    async appendAll(topic, partition, records) {
      const offsets = [];
      for (let at = 0; at < records.length; at += batch) {
        const messages = records.slice(at, at + batch).map((record) => ({ ...record, partition }));
        const [{ errorCode, baseOffset }] = await producer.send({ topic, acks: -1, messages });
        assert.equal(errorCode, 0);
        offsets.push(...messages.map((_, i) => Number(baseOffset) + i));
      }
      return offsets;
    },
    // Removes the oldest records, as retention does.
    async forgetBefore(topic, partition, offset) {
      await offsetsOf(topic); // the client must know the partition's leader
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
    },

    // The topic again, empty: a Kafka that was restored from before its first record.
    async forgetTopic(topic) {
      await admin.deleteTopics({ topics: [topic] });
      await waitFor(() => createTopics([topic]).then(() => true), { what: `${topic} made again`, everyMs: 100 });
    },

    // Records of an aborted transaction.
    async appendAborted(topic, records) {
      const own = kafka.producer({ transactionalId: uniqueName('aborted'), idempotent: true, maxInFlightRequests: 1 });
      await own.connect();
      const transaction = await own.transaction();
      await transaction.send({ topic, messages: records });
      await transaction.abort();
      await own.disconnect();
    },

    // The end of each partition: {partition: next offset to be written}.
    async ends(topic) {
      const found = await offsetsOf(topic);
      return Object.fromEntries(found.map(({ partition, high }) => [partition, Number(high)]));
    },
    async length(topic) {
      const found = await offsetsOf(topic);
      return found.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
    },

    // What a group has committed: {partition: offset}, without the partitions it has not committed.
    async committed(groupId, topic) {
      const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return Object.fromEntries(partitions.filter(({ offset }) => offset !== '-1').map(({ partition, offset }) => [partition, Number(offset)]));
    },

    // All records of the topic, present and future, in the order of arrival: an array that grows.
    async follow(topic) {
      const records = [];
      const seen = new Set(); // a consumer that lost its session starts again
      const consumer = kafka.consumer({ groupId: uniqueName('follower'), retry: { retries: 100 } });
      connections.add(consumer);
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ partition, message }) => {
          const place = `${partition}/${message.offset}`;
          if (seen.has(place)) return;
          seen.add(place);
          const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, Array.isArray(value) ? value.map(textOf) : textOf(value)]));
          records.push({ topic, partition, offset: Number(message.offset), timestamp: Number(message.timestamp), key: textOf(message.key), value: textOf(message.value), headers });
        },
      });
      return records;
    },
  };
}
