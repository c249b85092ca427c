import type pg from 'pg';
import { Deltas } from './deltas.ts';
import type { EventBatch, FreshEvents } from './fresh-events.ts';
import { findRepeats, JournalCopy, type JournalRow } from './journal.ts';
import type { Quarantined } from './quarantine.ts';
import type { Turns } from './turns.ts';

/** Events on their way into the books: rows for the journal, and the delta of every total. */
class Posting {
  readonly deltas: Deltas;
  readonly journal: JournalCopy;
  /** Events by source id. */
  readonly counts = new Map<number, number>();

  constructor(intervalMs: number, eventsMax: number) {
    this.deltas = new Deltas(intervalMs);
    this.journal = new JournalCopy(eventsMax);
  }

  add(row: JournalRow): void {
    this.journal.add(row);
    this.deltas.add(row);
    this.counts.set(row.sourceId, (this.counts.get(row.sourceId) ?? 0) + 1);
  }
}

export type Posted = {
  /** What the journal's rows add to each total. */
  deltas: Deltas;
  /** Events now in the journal, by source id. */
  counts: ReadonlyMap<number, number>;
  /** Already in the journal with the same content. */
  repeated: JournalRow[];
  /** Already in the journal with other content: the first one stays. */
  conflicting: JournalRow[];
  refused: Quarantined[];
};

/**
 * A transaction that says nothing for five seconds looks like one whose hub is paused, and PostgreSQL ends it: see
 * `idle_in_transaction_session_timeout`. One that waits for its turn, or parses for long, speaks more often than this.
 */
const quietMsMax = 1_000;

/** Parses the events of a slice, when it is the slice's turn, in an open transaction. */
export const parseEvents = async (
  client: pg.ClientBase,
  events: FreshEvents,
  { intervalMs, turns }: { intervalMs: number; turns?: Turns },
): Promise<Parsed> => {
  const posting = new Posting(intervalMs, events.max);
  const refused: Quarantined[] = [];
  // A slice without new events does not wait for a turn.
  const endTurn = events.max === 0 ? undefined : await turns?.take(() => client.query('select'), quietMsMax);
  try {
    let spoke = performance.now();
    for await (const batch of events.batches()) {
      for (const row of batch.rows) posting.add(row);
      refused.push(...batch.refused);
      if (performance.now() - spoke < quietMsMax) continue;
      await client.query('select');
      spoke = performance.now();
    }
  } finally {
    endTurn?.();
  }
  return { posting, refused, events, intervalMs };
};

export type Parsed = { posting: Posting; refused: Quarantined[]; events: FreshEvents; intervalMs: number };

/**
 * Copies the parsed events into the journal. Nearly always every id is new. When one is not, the journal's key says so; only
 * then are the ids looked up, and the events parsed a second time.
 */
export const postEvents = async (
  client: pg.ClientBase,
  { posting, refused, events, intervalMs }: Parsed,
): Promise<Posted> => {
  const { deltas, counts, journal } = posting;
  if (await journal.copyIfNew(client)) return { deltas, counts, repeated: [], conflicting: [], refused };

  const rows: JournalRow[] = [];
  for await (const batch of events.batches()) rows.push(...batch.rows);
  const { fresh, repeated, conflicting } = await findRepeats(client, rows);
  const rest = new Posting(intervalMs, fresh.length);
  for (const row of fresh) rest.add(row);
  // Should another hub write one of them meanwhile, this rejects, and the slice is applied again.
  await rest.journal.copy(client);
  return { deltas: rest.deltas, counts: rest.counts, repeated, conflicting, refused };
};

/** The events of one batch, for a caller that has parsed them. */
export const eventsOf = (batch: EventBatch): FreshEvents => ({
  max: batch.rows.length,
  batches: async function* () {
    yield batch;
  },
});
