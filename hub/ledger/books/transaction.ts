import type { Stream } from '@branchline/contracts/ids.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { type Range, RangeSet } from '@branchline/kernel/ranges.ts';
import type pg from 'pg';
import { inTransaction } from '../../postgres/in-transaction.ts';
import { fenceByPosition } from '../intake/position.ts';
import { type Slice, type SourceSlice, sortSlice } from '../intake/slice.ts';
import { readEntry } from './entry.ts';
import { countOf, type EventReader, freshEvents, type NovelGroup } from './fresh-events.ts';
import type { Names } from './names.ts';
import { type Posted, parseEvents, postEvents } from './posting.ts';
import { keepConflicts, keepQuarantined, type Quarantined } from './quarantine.ts';
import { lockSources, type SourceTally, settleSources } from './sources.ts';
import { addToTotals } from './totals.ts';
import { createTurns, type Turns } from './turns.ts';

/**
 * The transaction that applies a slice of a Kafka partition (H2): fence, lock, parse, journal, totals, settle. Either all of
 * the slice is in the books or nothing is, and only one hub can apply the same offsets.
 */
export type SliceInput = {
  topic: string;
  partition: number;
  /** What the topic carries; undefined for the dead-letter topic. */
  stream: Stream | undefined;
  /** The fence: the position at which the books must stand. */
  from: number;
  /** Last offset of the slice + 1: offsets have gaps. */
  to: number;
  /** Everything recorded up to this time (ms since 1970, broker's clock) has been read once this slice is applied. */
  readTo: number;
  /** When its last record was recorded (ms since 1970, broker's clock). */
  lastAt?: number;
  records: LogRecord[];
};

/** Its place and the reason; not the detail, which may quote the event (P1). */
export type QuarantineNotice = {
  site?: string;
  agent?: string;
  epoch?: string;
  seq: number | null;
  offset: number;
  reason: string;
};

export type SliceOutcome =
  | { fenced: true }
  | {
      fenced: false;
      applied: number;
      redelivered: number;
      repeated: number;
      conflicting: number;
      quarantined: number;
      deadlettered: number;
      /** The first event or dead letter that went to quarantine, for the log. */
      firstQuarantined?: QuarantineNotice | undefined;
      sourceIds: number[];
    };

export type Books = { apply(slice: SliceInput): Promise<SliceOutcome> };

/** The seams of the transaction that a mutant in `testing/` replaces to prove that the checker would see it. */
export type BooksPolicy = {
  fence(client: pg.ClientBase, slice: SliceInput): Promise<boolean>;
  novelOf(group: SourceSlice, novel: Range[]): Range[];
  read: EventReader;
};

export const strictPolicy: BooksPolicy = {
  fence: fenceByPosition,
  novelOf: (_, novel) => novel,
  read: (record, source) => readEntry(record.value, source, record.timestamp),
};

type Ports = { names: Names; intervalMs: number; policy: BooksPolicy; turns: Turns };

export const createBooks = (
  pool: pg.Pool,
  names: Names,
  intervalMs: number,
  policy = strictPolicy,
): Books => {
  const ports = { names, intervalMs, policy, turns: createTurns() };
  return {
    apply: async (slice) => {
      try {
        const prepared = await prepare(names, slice);
        const outcome = await inTransaction(pool, (client) => applySlice(client, slice, prepared, ports));
        // Another hub was faster, or the database went back: in the second case the ids are not its own (K1).
        if (outcome.fenced) names.forget();
        return outcome;
      } catch (error) {
        names.forget();
        throw error;
      }
    },
  };
};

type Prepared = Slice & { sites: ReadonlyMap<string, number>; sourceIds: number[] };

/** Runs before the transaction: rows that it creates are committed at once, and no lock is held meanwhile. */
const prepare = async (names: Names, slice: SliceInput): Promise<Prepared> => {
  const sorted = sortSlice(slice.records, slice.stream);
  const sites = await names.siteIds(sorted.sources.map(({ source }) => source.site));
  return { ...sorted, sites, sourceIds: await names.sourceIds.of(slice, sorted.sources, sites) };
};

const applySlice = async (
  client: pg.ClientBase,
  slice: SliceInput,
  { sources, unattributed, sites, sourceIds }: Prepared,
  { names, intervalMs, policy, turns }: Ports,
): Promise<SliceOutcome> => {
  if (!(await policy.fence(client, slice))) return { fenced: true };

  const { database, locked } = await lockSources(client, sources, sourceIds, sites);
  const groups: NovelGroup[] = locked.map(({ group, sourceId, novel }) => ({
    group,
    sourceId,
    siteId: sites.get(group.source.site) as number,
    novel: policy.novelOf(group, novel),
  }));

  const events = freshEvents(groups, { names, database, read: policy.read });
  const parsed = await parseEvents(client, events, { intervalMs, turns });
  const posted = await postEvents(client, parsed);

  await addToTotals(client, posted.deltas, { intervalMs, partition: slice.partition });

  await keepConflicts(client, posted.conflicting);
  const quarantined: Quarantined[] = [
    ...posted.refused,
    ...newDeadLetters(groups),
    ...unattributed.map((record) => ({ sourceId: null, first: null, last: null, ...record })),
  ];
  await keepQuarantined(client, slice, quarantined);

  const tallies = tally(groups, posted);
  await settleSources(client, tallies);

  return {
    fenced: false,
    applied: sum(tallies, 'applied'),
    repeated: posted.repeated.length,
    conflicting: posted.conflicting.length,
    quarantined: sum(tallies, 'quarantined') + unattributed.length,
    deadlettered: sum(tallies, 'deadlettered'),
    redelivered: sum(tallies, 'redelivered'),
    firstQuarantined: noticeOf(quarantined[0], groups),
    sourceIds: groups.map(({ sourceId }) => sourceId),
  };
};

/** A dead letter whose seqs are all taken is a copy of one that is kept already. */
const newDeadLetters = (groups: NovelGroup[]): Quarantined[] =>
  groups.flatMap(({ group, sourceId, novel }) => {
    const open = new RangeSet(novel);
    const unclaimed = new RangeSet(novel);
    return group.deadLetters
      .filter(({ first, last }) => open.within(first, last).length > 0)
      .map((deadLetter) => {
        const { first, last } = deadLetter;
        const taken = unclaimed.within(first, last);
        unclaimed.remove(first, last);
        return { sourceId, taken, ...deadLetter };
      });
  });

const noticeOf = (
  first: Quarantined | undefined,
  groups: readonly NovelGroup[],
): QuarantineNotice | undefined => {
  if (first === undefined) return undefined;
  const source = groups.find(({ sourceId }) => sourceId === first.sourceId)?.group.source;
  const notice = { seq: first.first, offset: first.record.offset, reason: first.reason };
  return source === undefined
    ? notice
    : { site: source.site, agent: source.agent, epoch: source.epoch, ...notice };
};

/** What became of each source's deliveries. */
const tally = (groups: NovelGroup[], posted: Posted): SourceTally[] => {
  const repeated = countBySource(posted.repeated);
  const conflicting = countBySource(posted.conflicting);
  const refused = countBySource(posted.refused);
  return groups.map(({ group, sourceId, novel }) => ({
    sourceId,
    seqs: group.seqs,
    applied: posted.counts.get(sourceId) ?? 0,
    repeated: repeated.get(sourceId) ?? 0,
    conflicting: conflicting.get(sourceId) ?? 0,
    quarantined: refused.get(sourceId) ?? 0,
    deadlettered: group.deadLetters.length > 0 ? countOf(novel) : 0,
    redelivered: Math.max(0, group.deliveries.length - countOf(novel)),
  }));
};

const countBySource = (rows: { sourceId: number | null }[]): Map<number | null, number> => {
  const counts = new Map<number | null, number>();
  for (const { sourceId } of rows) counts.set(sourceId, (counts.get(sourceId) ?? 0) + 1);
  return counts;
};

const sum = (tallies: SourceTally[], key: Exclude<keyof SourceTally, 'seqs'>): number =>
  tallies.reduce((total, one) => total + one[key], 0);
