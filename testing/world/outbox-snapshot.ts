import type { Source } from '@branchline/edge-agent/core/outbox/source.ts';
import type { Flight, Outbox, OutboxEffect } from '@branchline/edge-agent/core/outbox/state.ts';
import type { RangeSet } from '@branchline/kernel/ranges.ts';

/** For tests: what of an outbox's state a step has changed, by the names of its fields. */

/** `open` is an index of the sources, whose fields show every change. */
type OutboxField = Exclude<keyof Outbox, 'settings' | 'random' | 'open' | 'nextNumber'>;
type SourceField = Exclude<keyof Source, 'stream' | 'epoch' | 'number' | 'ofThisSession'>;
export type ChangingField = OutboxField | `source.${SourceField}`;

type Snapshot = {
  outbox: Record<OutboxField, string>;
  sources: Map<string, Record<SourceField, string>>;
};

const text = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (inner === Number.POSITIVE_INFINITY ? 'for ever' : inner)) ??
  'undefined';
const ranges = (set: RangeSet): string => text(set.ranges());

const flightText = ({ source, ...flight }: Flight): string => text({ ...flight, epoch: source.epoch });

const searchesOf = ({ replays, nextId }: Outbox) =>
  Array.from({ length: nextId }, (_, id) => replays.idOfSearch(id)).filter((id) => id !== undefined);

const sourceSnapshot = (source: Source): Record<SourceField, string> => ({
  highest: text(source.highest),
  liveAfter: text(source.liveAfter),
  recorded: ranges(source.recorded),
  unsendable: ranges(source.unsendable),
  heldBack: ranges(source.heldBack),
  taken: ranges(source.taken),
  again: ranges(source.again),
  // The seqs with a known time.
  times: text(source.times.settled(1, source.highest, Number.MAX_VALUE, Number.POSITIVE_INFINITY)),
  appliedTo: text(source.appliedTo),
  releasedTo: text(source.releasedTo),
  closed: text(source.closed),
});

export const snapshot = (outbox: Outbox): Snapshot => ({
  outbox: {
    sources: text([...outbox.sources.keys()]),
    flights: [...outbox.flights.values()].map(flightText).join(),
    window: text(outbox.window),
    line: text(outbox.line),
    silence: text(outbox.silence),
    replays: text([outbox.replays.progress(), searchesOf(outbox)]),
    counters: text(outbox.counters),
    changed: text([...outbox.changed].map(({ epoch }) => epoch)),
    linkUp: text(outbox.linkUp),
    nextId: text(outbox.nextId),
    lastStream: text(outbox.lastStream),
    damagedInARow: text(outbox.damagedInARow),
    firstReceiptAt: text(outbox.firstReceiptAt),
    hasBacklog: text(outbox.hasBacklog),
  },
  sources: new Map([...outbox.sources].map(([key, source]) => [key, sourceSnapshot(source)])),
});

const differing = <K extends string>(a: Record<K, string>, b: Record<K, string>): K[] =>
  (Object.keys(a) as K[]).filter((field) => a[field] !== b[field]);

/** A source that came or went changes `sources` alone. */
export const changesBetween = (before: Snapshot, after: Snapshot): Set<ChangingField> => {
  const changes = new Set<ChangingField>(differing(before.outbox, after.outbox));
  for (const [key, source] of before.sources) {
    const now = after.sources.get(key);
    if (now !== undefined) for (const field of differing(source, now)) changes.add(`source.${field}`);
  }
  return changes;
};

/** What goes with an effect every time, so that the table need not say it in each row. */
export const impliedBy: Record<OutboxEffect['do'], readonly ChangingField[]> = {
  read: ['flights', 'nextId', 'lastStream', 'source.taken'],
  publish: ['counters', 'source.taken', 'line', 'silence'],
  'new-epoch': [],
  reconnect: ['silence', 'linkUp', 'flights', 'source.taken'],
  find: ['nextId'],
  alarm: ['counters'],
  drained: [],
  'replay-progress': [],
};
