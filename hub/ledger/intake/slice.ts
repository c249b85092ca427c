import type { Source } from '@branchline/contracts/ids.ts';
import { headers, parseOrigin } from '@branchline/contracts/topics.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { type Range, RangeSet } from '@branchline/kernel/ranges.ts';

/**
 * A slice of one Kafka partition, grouped by source. Events are not parsed here: their origin alone tells which are new, and
 * only those are worth parsing.
 */

/** A record of an event topic and its seq; the record has the offset. */
export type Delivery = { seq: number; record: LogRecord };

/** A record of the dead-letter topic: it stands for the seqs first … last of its source. */
export type DeadLetter = { first: number; last: number; reason: string; detail: string; record: LogRecord };

export type SourceSlice = {
  source: Source;
  deliveries: Delivery[];
  deadLetters: DeadLetter[];
  seqs: Range[];
};

/** A record without a source: there is no seq to take, only bytes to keep. */
export type Unattributed = { reason: string; detail: string; record: LogRecord };

export type Slice = { sources: SourceSlice[]; unattributed: Unattributed[] };

/** The same bytes with Buffer's methods. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Empty for a header that occurs twice (a list) or is null: the bridge writes neither. */
const text = (value: unknown): string =>
  value instanceof Uint8Array ? asBuffer(value).toString('utf8') : '';

const seqsPattern = /^(\d{1,16})-(\d{1,16})$/;

const deadLetterOf = (record: LogRecord, first: number): DeadLetter => {
  const seqs = seqsPattern.exec(text(record.headers[headers.seqs]));
  const last = seqs === null ? first : Math.max(first, Number(seqs[2]));
  return {
    first,
    last,
    reason: text(record.headers[headers.reason]) || 'unknown',
    detail: text(record.headers[headers.detail]).slice(0, 1024),
    record,
  };
};

/**
 * `stream` is what the topic carries, undefined for the dead-letter topic. Sources are sorted by name, so that concurrent hubs
 * create and lock them in the same order.
 */
export const sortSlice = (records: LogRecord[], stream: Source['stream'] | undefined): Slice => {
  const byPrefix = new Map<string, SourceSlice | null>();
  const unattributed: Unattributed[] = [];
  for (const record of records) {
    const origin = record.headers[headers.origin];
    const originText = text(origin);
    const slash = originText.lastIndexOf('/');
    const prefix = originText.slice(0, slash);
    let group = byPrefix.get(prefix);
    if (group === undefined) {
      const source = parseOrigin(`${prefix}/1`);
      const fits = source !== undefined && (stream === undefined || source.stream === stream);
      group = fits
        ? {
            source: { site: source.site, agent: source.agent, stream: source.stream, epoch: source.epoch },
            deliveries: [],
            deadLetters: [],
            seqs: [],
          }
        : null;
      byPrefix.set(prefix, group);
    }
    const seq = Number(originText.slice(slash + 1));
    if (group === null || !Number.isSafeInteger(seq) || seq < 1) {
      const reason = text(record.headers[headers.reason]);
      unattributed.push(
        reason === ''
          ? {
              reason: 'no-origin',
              detail: `${headers.origin} is ${JSON.stringify(originText.slice(0, 256))}`,
              record,
            }
          : { reason, detail: text(record.headers[headers.detail]).slice(0, 1024), record },
      );
    } else if (stream === undefined) {
      group.deadLetters.push(deadLetterOf(record, seq));
    } else {
      group.deliveries.push({ seq, record });
    }
  }
  const sources = [...byPrefix.entries()].filter(
    (entry): entry is [string, SourceSlice] => entry[1] !== null,
  );
  sources.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, group] of sources) group.seqs = seqsOf(group);
  return { sources: sources.map(([, group]) => group), unattributed };
};

const seqsOf = (group: SourceSlice): Range[] => {
  const set = new RangeSet();
  let first = 0;
  let last = -1;
  // Records of a source are nearly always in order: collect runs before adding them to the set.
  for (const { seq } of group.deliveries) {
    if (seq === last + 1) {
      last = seq;
      continue;
    }
    set.add(first, last);
    first = seq;
    last = seq;
  }
  set.add(first, last);
  for (const { first, last } of group.deadLetters) set.add(first, last);
  return set.ranges();
};

/** The first delivery of each novel seq: those that the books did not have when the transaction locked the source. */
export const freshDeliveries = (group: SourceSlice, novel: readonly Range[]): Delivery[] => {
  if (novel.length === 0) return [];
  const open = new RangeSet(novel);
  const [only] = novel;
  if (novel.length === 1 && only !== undefined && group.deliveries.length === only[1] - only[0] + 1) {
    const covered = group.deliveries.every((delivery) => delivery.seq >= only[0] && delivery.seq <= only[1]);
    if (covered && group.seqs.length === 1) return group.deliveries;
  }
  const fresh: Delivery[] = [];
  const taken = new Set<number>();
  for (const delivery of group.deliveries) {
    if (taken.has(delivery.seq) || !open.has(delivery.seq)) continue;
    taken.add(delivery.seq);
    fresh.push(delivery);
  }
  return fresh;
};
