import {
  type Correction,
  type Gap,
  type JournalEntry,
  journalFlags,
  journalKinds,
  type Quarantined,
  type Reconciliation,
  type Replay,
  type StockCount,
  type Unknown,
} from '../contract.ts';
import { stateOf, textOf } from '../core/reconciliation.ts';
import type { CorrectionRow } from '../io/correction-query.ts';
import type { CountRow } from '../io/count-table.ts';
import type { GapRow } from '../io/gap-table.ts';
import type { JournalEntry as Entry } from '../io/journal-query.ts';
import type { QuarantineRow } from '../io/quarantine-table.ts';
import type { ReplayRow } from '../io/replay-table.ts';
import type { TillDayRow } from '../io/till-day-query.ts';
import type { UnknownRow } from '../io/unknown-table.ts';
import { instantOrNull, instantText, quantityText } from './shape.ts';

/** Rows of the books' lists as the API returns them. */
export const correction = (row: CorrectionRow, intervalMs: number): Correction => ({
  id: String(row.id),
  changedAt: instantText(row.changedAt),
  site: row.site,
  start: instantText(row.start),
  end: instantText(row.start + intervalMs),
  currency: row.currency,
  transactions: row.transactions,
  voids: row.voids,
  units: quantityText(row.units),
  gross: row.gross,
  lateSeconds: row.lateSeconds,
  revision: row.revision,
});

export const reconciliation = (row: TillDayRow, gaps: number): Reconciliation => ({
  site: row.site,
  businessDay: row.businessDay,
  workstation: row.workstation,
  currency: row.currency,
  state: stateOf({ ...row, gaps }),
  reportNumber: row.reportNumber,
  closedAt: instantOrNull(row.closedAt),
  stated: row.stated,
  books: row.books,
  gaps,
  suspectVoids: row.suspectVoids,
  text: textOf({ ...row, gaps }),
});

export const quarantined = (row: QuarantineRow): Quarantined => ({
  ...row,
  id: String(row.id),
  receivedAt: instantText(row.receivedAt),
  settledAt: instantOrNull(row.settledAt),
});

export const gap = (row: GapRow, site: string): Gap => ({
  ...row,
  site,
  completeTo: instantOrNull(row.completeTo),
  dismissedAt: instantOrNull(row.dismissedAt),
});

export const unknown = (row: UnknownRow, site: string): Unknown => ({
  id: String(row.id),
  site,
  agent: row.agent,
  reason: row.reason,
  since: instantOrNull(row.since),
  until: instantText(row.until),
  noticedAt: instantText(row.noticedAt),
  returnedAt: instantOrNull(row.returnedAt),
  dismissedAt: instantOrNull(row.dismissedAt),
  dismissedBecause: row.dismissedBecause,
});

export const stockCount = (row: CountRow): StockCount => ({
  site: row.site,
  location: row.location,
  id: row.id,
  countedAt: instantText(row.countedAt),
  scope: row.whole ? 'location' : 'items',
  suspect: row.suspect,
  decision: row.decision && {
    voided: row.decision.voided,
    reason: row.decision.reason,
    askedAt: instantText(row.decision.askedAt),
    appliedAt: instantOrNull(row.decision.appliedAt),
  },
});

export const replay = (row: ReplayRow): Replay => ({
  id: row.id,
  site: row.site,
  agent: row.agent,
  stream: row.stream,
  epoch: row.epoch,
  seqs: row.seqs,
  accepted: row.accepted === null ? null : [instantText(row.accepted[0]), instantText(row.accepted[1])],
  requestedAt: instantText(row.requestedAt),
  state: row.state,
  events: row.events,
  left: row.left,
  newInBooks: row.newInBooks,
});

export const journalEntry = (row: Entry, site: string): JournalEntry => ({
  ...row,
  site,
  kind: journalKinds[row.kind - 1] ?? 'completed',
  at: instantText(row.at),
  units: quantityText(row.units),
  recordedAt: instantText(row.recordedAt),
  flags: journalFlags.filter((_, bit) => (row.flags & (1 << bit)) !== 0),
});
