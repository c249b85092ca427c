import type { Bounds, LogBounds } from '@branchline/drivers/kafka/admin.ts';
import type { TopicPartition } from '@branchline/drivers/kafka/record.ts';
import type pg from 'pg';
import { ms } from '../../postgres/epoch-ms.ts';

/** The `ingest_offset` table: the position of each partition. Read before the first fetch and whenever the fence failed. */
export type { TopicPartition };

/**
 * Where to resume reading a partition. An offset means something in one incarnation of a topic only (K1): a position of another
 * cluster or topic id, or one beyond the end of the log, belongs to an earlier one. Reading then restarts at the earliest
 * offset, and deduplication keeps that from counting twice.
 */
export type Position = {
  next: number;
  incarnation: 'same' | 'new';
  /** When the last record before the position was recorded, in ms on the broker's clock; undefined when nothing was read. */
  lastAt?: number;
};

type Row = { next_offset: string; cluster_id: string; topic_id: string; last_at: number | null };

const readRow = async (pool: pg.Pool, { topic, partition }: TopicPartition): Promise<Row | undefined> => {
  const { rows } = await pool.query<Row>(
    `select next_offset, cluster_id, topic_id, ${ms('last_at')} as last_at
     from ingest_offset where topic = $1 and partition = $2`,
    [topic, partition],
  );
  return rows[0];
};

/** Ids of topics are unknown to brokers before Kafka 2.8: nothing is said against an unknown one. */
const isSameTopic = (one: string, other: string): boolean => one === other || one === '' || other === '';

/** `distrusted` restarts a position that looks right, because the records there are not those that should follow. */
export const openPosition = async (
  pool: pg.Pool,
  topicPartition: TopicPartition,
  log: Pick<LogBounds, 'clusterId' | 'boundsOf'>,
  distrusted = false,
): Promise<Position> => {
  const { topic, partition } = topicPartition;
  const clusterId = await log.clusterId();
  const row = await readRow(pool, topicPartition);
  // Bounds are read after the position: another hub may advance the position meanwhile, but never past an end read later.
  const { earliest, end, topicId } = await boundsIn(log, topicPartition);
  if (row === undefined) {
    await pool.query(
      `insert into ingest_offset (topic, partition, next_offset, cluster_id, topic_id) values ($1, $2, $3, $4, $5)
       on conflict do nothing`,
      [topic, partition, earliest, clusterId, topicId],
    );
    return { next: Number((await readRow(pool, topicPartition))?.next_offset), incarnation: 'same' };
  }
  const next = Number(row.next_offset);
  const isSame = row.cluster_id === clusterId && isSameTopic(row.topic_id, topicId) && next <= end;
  if (isSame && !distrusted) {
    if (row.topic_id === '' && topicId !== '')
      await pool.query(
        "update ingest_offset set topic_id = $3 where topic = $1 and partition = $2 and topic_id = ''",
        [topic, partition, topicId],
      );
    return { next, incarnation: 'same', ...(row.last_at === null ? {} : { lastAt: row.last_at }) };
  }
  const { rowCount } = await pool.query(
    `update ingest_offset set next_offset = $3, cluster_id = $4, topic_id = $5, read_to = '-infinity', last_at = null
     where topic = $1 and partition = $2 and next_offset = $6 and cluster_id = $7 and topic_id = $8`,
    [topic, partition, earliest, clusterId, topicId, next, row.cluster_id, row.topic_id],
  );
  // Whoever was faster has reported it.
  const incarnation = rowCount === 1 ? 'new' : 'same';
  return { next: Number((await readRow(pool, topicPartition))?.next_offset), incarnation };
};

const boundsIn = async (
  log: Pick<LogBounds, 'boundsOf'>,
  { topic, partition }: TopicPartition,
): Promise<Bounds> => {
  const found = (await log.boundsOf(topic)).find((bound) => bound.partition === partition);
  if (found === undefined) throw new Error(`Kafka does not know partition ${partition} of ${topic}`);
  return found;
};

/**
 * Partitions whose position is the end of their log have read everything recorded before `askedAt` (ms since 1970). A position
 * beyond the end, or of another topic id, proves nothing: it belongs to a log that is gone.
 */
export const noteReadTo = async (pool: pg.Pool, bounds: Bounds[], askedAt: number): Promise<void> => {
  await pool.query(
    `update ingest_offset o set read_to = greatest(o.read_to, to_timestamp($5))
     from unnest($1::text[], $2::int4[], $3::int8[], $4::text[]) as t(topic, partition, log_end, topic_id)
     where o.topic = t.topic and o.partition = t.partition and o.next_offset = t.log_end and o.topic_id = t.topic_id`,
    [
      bounds.map((one) => one.topic),
      bounds.map((one) => one.partition),
      bounds.map((one) => one.end),
      bounds.map((one) => one.topicId),
      askedAt / 1000,
    ],
  );
};

/** H2: compare-and-set on the position. A hub that was overtaken changes no row, and must write nothing else. */
export const fenceByPosition = async (
  client: pg.ClientBase,
  slice: TopicPartition & { from: number; to: number; readTo: number; lastAt?: number },
): Promise<boolean> => {
  const { rowCount } = await client.query({
    name: 'fence',
    text: `update ingest_offset set next_offset = $3, read_to = greatest(read_to, to_timestamp($4)),
             last_at = coalesce(to_timestamp($6), last_at)
           where topic = $1 and partition = $2 and next_offset = $5`,
    values: [
      ...[slice.topic, slice.partition, slice.to, slice.readTo / 1000, slice.from],
      slice.lastAt === undefined ? null : slice.lastAt / 1000,
    ],
  });
  return rowCount === 1;
};
