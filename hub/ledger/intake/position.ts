import type { LogBounds } from '@branchline/drivers/kafka/admin.ts';
import type { TopicPartition } from '@branchline/drivers/kafka/record.ts';
import type pg from 'pg';

/** The `ingest_offset` table: the position of each partition. Read before the first fetch and whenever the fence failed. */
export type { TopicPartition };

/**
 * Where to resume reading a partition. A position beyond the end of the log, or one of another cluster, belongs to an earlier
 * incarnation of the topic: reading restarts at the earliest offset, and deduplication keeps that from counting twice.
 */
export type Position = { next: number; incarnation: 'same' | 'new' };

export const openPosition = async (
  pool: pg.Pool,
  topicPartition: TopicPartition,
  log: Pick<LogBounds, 'clusterId' | 'boundsOf'>,
): Promise<Position> => {
  const clusterId = await log.clusterId();
  const select = 'select next_offset, cluster_id from ingest_offset where topic = $1 and partition = $2';
  const { rows } = await pool.query<{ next_offset: string; cluster_id: string }>(select, [
    topicPartition.topic,
    topicPartition.partition,
  ]);
  // Bounds are read after the position: another hub may advance the position meanwhile, but never past an end read later.
  const { earliest, end } = await boundsIn(log, topicPartition);
  const row = rows[0];
  if (row === undefined) {
    await pool.query(
      'insert into ingest_offset (topic, partition, next_offset, cluster_id) values ($1, $2, $3, $4) on conflict do nothing',
      [topicPartition.topic, topicPartition.partition, earliest, clusterId],
    );
    const again = await pool.query<{ next_offset: string }>(select, [
      topicPartition.topic,
      topicPartition.partition,
    ]);
    return { next: Number(again.rows[0]?.next_offset), incarnation: 'same' };
  }
  const next = Number(row.next_offset);
  if (row.cluster_id === clusterId && next <= end) return { next, incarnation: 'same' };
  await pool.query(
    `update ingest_offset set next_offset = $3, cluster_id = $4, read_to = '-infinity'
     where topic = $1 and partition = $2 and next_offset = $5 and cluster_id = $6`,
    [topicPartition.topic, topicPartition.partition, earliest, clusterId, next, row.cluster_id],
  );
  const again = await pool.query<{ next_offset: string }>(select, [
    topicPartition.topic,
    topicPartition.partition,
  ]);
  return { next: Number(again.rows[0]?.next_offset), incarnation: 'new' };
};

const boundsIn = async (
  log: Pick<LogBounds, 'boundsOf'>,
  { topic, partition }: TopicPartition,
): Promise<{ earliest: number; end: number }> => {
  const found = (await log.boundsOf(topic)).find((bound) => bound.partition === partition);
  if (found === undefined) throw new Error(`Kafka does not know partition ${partition} of ${topic}`);
  return found;
};

/** Partitions whose position is the end of their log have read everything recorded before `askedAt` (ms since 1970). */
export const noteReadTo = async (
  pool: pg.Pool,
  ends: (TopicPartition & { end: number })[],
  askedAt: number,
): Promise<void> => {
  await pool.query(
    `update ingest_offset o set read_to = greatest(o.read_to, to_timestamp($4))
     from unnest($1::text[], $2::int4[], $3::int8[]) as t(topic, partition, log_end)
     where o.topic = t.topic and o.partition = t.partition and o.next_offset >= t.log_end`,
    [ends.map((e) => e.topic), ends.map((e) => e.partition), ends.map((e) => e.end), askedAt / 1000],
  );
};

/** H2: compare-and-set on the position. A hub that was overtaken changes no row, and must write nothing else. */
export const fenceByPosition = async (
  client: pg.ClientBase,
  slice: TopicPartition & { from: number; to: number; readTo: number },
): Promise<boolean> => {
  const { rowCount } = await client.query({
    name: 'fence',
    text: `update ingest_offset set next_offset = $3, read_to = greatest(read_to, to_timestamp($4))
           where topic = $1 and partition = $2 and next_offset = $5`,
    values: [slice.topic, slice.partition, slice.to, slice.readTo / 1000, slice.from],
  });
  return rowCount === 1;
};
