import { quantityOf } from '@branchline/contracts/decimal.ts';
import { isProblem, type Problem, problem } from '@branchline/contracts/errors.ts';
import type { Source } from '@branchline/contracts/ids.ts';
import { itemKey } from '@branchline/contracts/item.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { parseForBooks, streamOf } from '@branchline/contracts/parse.ts';
import { posEventId, posTypes } from '@branchline/contracts/pos.ts';
import { itemTypes, roundingTender } from '@branchline/contracts/rules.ts';
import { stockTypes } from '@branchline/contracts/stock.ts';
import { readStored } from '@branchline/contracts/stored-event.ts';
import type {
  StoredCount,
  StoredDayClosed,
  StoredEvent,
  StoredMovement,
  StoredTransaction,
} from '@branchline/contracts/stored-fields.ts';
import { dayNumber, type Instant, parseInstant } from '@branchline/contracts/time.ts';
import { asBuffer } from '../intake/slice.ts';

/** An event in the form in which the books keep it. One entry becomes one row of `journal`. */
export const kinds = {
  completed: 1,
  voided: 2,
  aborted: 3,
  training: 4,
  movement: 5,
  countOfItems: 6,
  countOfLocation: 7,
  dayClosed: 8,
} as const;
export type Kind = (typeof kinds)[keyof typeof kinds];

/** Soft rules: the event is kept as stated, and a flag says what is inconsistent. */
export const flags = {
  linesDifferFromGross: 1,
  taxDiffersFromGross: 2,
  endDiffersFromTime: 4,
  clockSuspect: 8,
  businessDayFar: 16,
} as const;

export type Entry = {
  kind: Kind;
  eventId: string;
  businessDay: string;
  /** Milliseconds since 1970; decides the window. */
  at: number;
  offsetMinutes: number;
  location: string;
  currency: string;
  /** The till; empty for stock events. */
  workstation: string;
  /** Minor units. */
  gross: number;
  /** Sum of the ROUNDING tenders; gross minus this was paid. Minor units. */
  rounding: number;
  /** The part of the gross that is not sales, such as deposits and gift cards. Minor units. */
  notSales: number;
  lines: number;
  /** Thousandths. */
  units: number;
  items: string[];
  /** Thousandths, per line; 0 for a line that is not goods. */
  quantities: number[];
  /** Minor units, per line. */
  amounts: number[];
  /** Thousandths, per line; null if the default rule of the kind applies (see journal.deltas). */
  deltas: number[] | null;
  flags: number;
  /** The trace id of `traceparent`, 32 hexadecimal digits; empty if the till sent none. */
  trace: string;
  /** The figures of a day-end report; null for all other kinds. */
  dayReport: DayReport | null;
  /** The sales that a void takes back, by the journal's key; empty for all other kinds. */
  voided: readonly VoidedSale[];
};

export type VoidedSale = { businessDay: string; eventId: string };

export type DayReport = { reportNumber: number; transactions: number; voids: number; closedAt: number };

const none: readonly never[] = [];

const sumOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);

type Line = StoredTransaction['data']['lines'][number];

/**
 * Whether a line changes the shelf: a sale takes off what it sold, a return puts back only what can be sold again. A void
 * carries reversed signs, so the same rule undoes it.
 */
const movesStock = (line: Line): boolean =>
  line.lineType === 'SALE' || line.returnDisposition === 'sellable_accessible';

const deltasOf = (lines: readonly Line[], quantities: number[]) =>
  lines.every(movesStock)
    ? null
    : lines.map((line, i) => (movesStock(line) ? -(quantities[i] as number) : 0));

const voidedSales = ({ references }: StoredTransaction['data']): VoidedSale[] =>
  (references ?? [])
    .filter(({ referenceType }) => referenceType === 'VOID')
    .map((reference) => ({ businessDay: reference.businessDay, eventId: posEventId(reference) }));

const quantityOfGoods = ({ itemType, quantity }: Line): number =>
  itemType === undefined ? quantityOf(quantity) : 0;

const amountBesideSales = (lines: readonly Line[]): number => {
  let sum = 0;
  for (const { itemType, extendedAmount } of lines)
    if (itemType !== undefined && !itemTypes[itemType].isSales) sum += extendedAmount;
  return sum;
};

const roundingOf = ({ tenders }: StoredTransaction['data']): number => {
  let sum = 0;
  for (const { tenderType, amount } of tenders) if (tenderType === roundingTender) sum += amount;
  return sum;
};

const transactionFlags = (event: StoredTransaction, at: number, amounts: number[]): number => {
  const { totals, endAt } = event.data;
  let found = 0;
  if (sumOf(amounts) !== totals.gross) found |= flags.linesDifferFromGross;
  if (totals.net !== undefined && totals.tax !== undefined && totals.net + totals.tax !== totals.gross) {
    found |= flags.taxDiffersFromGross;
  }
  const days = dayNumber(event.time.slice(0, 10)) - dayNumber(event.data.businessDay);
  if (Math.abs(days) > limits.businessDayLagMax) found |= flags.businessDayFar;
  if (endAt !== event.time && parseInstant(endAt)?.at !== at) found |= flags.endDiffersFromTime;
  return found;
};

type Common = Pick<Entry, 'eventId' | 'at' | 'offsetMinutes' | 'flags' | 'trace'>;

const transactionEntry = (event: StoredTransaction, common: Common): Entry => {
  const transaction = event.data;
  const lines = transaction.lines.some((line) => line.voided === true)
    ? transaction.lines.filter((line) => line.voided !== true)
    : transaction.lines;
  const quantities = lines.map(quantityOfGoods);
  const amounts = lines.map((line) => line.extendedAmount);
  // A void in training takes back what was never sold, so it is training too.
  const kind =
    transaction.training === true
      ? kinds.training
      : event.type === posTypes.voided
        ? kinds.voided
        : kinds.completed;
  return {
    ...common,
    kind,
    businessDay: transaction.businessDay,
    location: '',
    currency: transaction.currency,
    workstation: transaction.workstationId,
    gross: transaction.totals.gross,
    rounding: roundingOf(transaction),
    notSales: amountBesideSales(lines),
    lines: lines.length,
    units: sumOf(quantities),
    items: lines.map((line) => itemKey(line.item)),
    quantities,
    amounts,
    // A training transaction neither sells nor returns anything.
    deltas: kind === kinds.training ? null : deltasOf(lines, quantities),
    flags: common.flags | transactionFlags(event, common.at, amounts),
    dayReport: null,
    voided: kind === kinds.voided ? voidedSales(transaction) : none,
  };
};

const nothing = {
  location: '',
  currency: '',
  workstation: '',
  gross: 0,
  rounding: 0,
  notSales: 0,
  lines: 0,
  units: 0,
  items: [],
  quantities: [],
  amounts: [],
  deltas: null,
  dayReport: null,
  voided: none,
};

const movementEntry = (event: StoredMovement, common: Common): Entry => {
  const quantities = event.data.lines.map((line) => quantityOf(line.quantity));
  return {
    ...nothing,
    ...common,
    kind: kinds.movement,
    businessDay: event.time.slice(0, 10),
    location: event.data.location ?? '',
    lines: quantities.length,
    units: sumOf(quantities),
    items: event.data.lines.map((line) => itemKey(line.item)),
    quantities,
  };
};

/**
 * A count says what was there when it was taken, so the newest one wins. One that was taken after it was recorded has a wrong
 * clock: it counts as taken when it was recorded, or no later count could ever win over it.
 */
const countEntry = (event: StoredCount, common: Common, recordedAt: number): Entry => {
  const counted = parseInstant(event.data.countedAt) as Instant;
  const suspect = counted.at - recordedAt > limits.clockAheadMsMax;
  const quantities = event.data.lines.map((line) => quantityOf(line.countedQuantity));
  return {
    ...nothing,
    ...common,
    ...counted,
    ...(suspect ? { at: recordedAt, flags: common.flags | flags.clockSuspect } : {}),
    kind: event.data.scope === 'ITEMS' ? kinds.countOfItems : kinds.countOfLocation,
    businessDay: event.data.countedAt.slice(0, 10),
    location: event.data.location ?? '',
    lines: quantities.length,
    units: sumOf(quantities),
    items: event.data.lines.map((line) => itemKey(line.item)),
    quantities,
  };
};

const dayClosedEntry = (event: StoredDayClosed, common: Common): Entry => {
  const { businessDay, workstationId, currency, reportNumber, transactions, voids, gross, closedAt } =
    event.data;
  return {
    ...nothing,
    ...common,
    kind: kinds.dayClosed,
    businessDay,
    workstation: workstationId,
    currency,
    gross,
    dayReport: { reportNumber, transactions, voids, closedAt: (parseInstant(closedAt) as Instant).at },
  };
};

const entryOf = (event: StoredEvent, recordedAt: number | undefined): Entry => {
  const { at, offsetMinutes } = parseInstant(event.time) as Instant;
  const recorded = event.recordedtime === undefined ? undefined : parseInstant(event.recordedtime)?.at;
  // By the agent's clock or Kafka's: a till may take its time from an agent whose clock is just as wrong.
  const before = Math.min(recorded ?? Infinity, recordedAt ?? Infinity);
  const suspect = at - before > limits.clockAheadMsMax;
  const common: Common = {
    eventId: event.id,
    at,
    offsetMinutes,
    flags: suspect ? flags.clockSuspect : 0,
    trace: event.traceparent === undefined ? '' : event.traceparent.slice(3, 35),
  };
  switch (event.type) {
    case posTypes.completed:
    case posTypes.voided:
      return transactionEntry(event, common);
    case posTypes.aborted:
      return {
        ...nothing,
        ...common,
        kind: kinds.aborted,
        businessDay: event.data.businessDay,
        workstation: event.data.workstationId,
      };
    case posTypes.dayClosed:
      return dayClosedEntry(event, common);
    case stockTypes.movement:
      return movementEntry(event, common);
    case stockTypes.count:
      return countEntry(event, common, before);
  }
};

const readEvent = (text: string): StoredEvent | Problem => {
  const stored = readStored(text);
  if (stored !== undefined) return stored;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return problem('not-json', 'the record is not JSON');
  }
  return parseForBooks(value);
};

/**
 * Reads the bytes of one Kafka record. `source` is where they came from according to the bridge, `recordedAt` Kafka's time
 * of the record.
 */
export const readEntry = (bytes: Uint8Array, source: Source, recordedAt?: number): Entry | Problem => {
  const event = readEvent(asBuffer(bytes).toString('utf8'));
  if (isProblem(event)) return event;
  if (event.data.site.storeId !== source.site) {
    return problem(
      'site-mismatch',
      `the event names ${event.data.site.storeId}, it came from ${source.site}`,
      'data.site.storeId',
    );
  }
  if (streamOf(event.type) !== source.stream)
    return problem('schema', `a ${event.type} on the ${source.stream} stream`, 'type');
  return entryOf(event, recordedAt);
};
