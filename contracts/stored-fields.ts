import type { AbortedEvent, CountEvent, DayClosedEvent, MovementEvent, TransactionEvent } from './parse.ts';

/**
 * The fields of each event that the books need. The reader of stored events returns these; it checks the others and drops
 * them. `testing/generate/stored-event.ts` generates it from the schemas and from these lists.
 */

type Kept<T> = T extends readonly (infer Element)[]
  ? Kept<Element>
  : T extends object
    ? { readonly [K in keyof T]?: Kept<NonNullable<T[K]>> }
    : true;

type Part<T, K> = T extends readonly (infer Element)[]
  ? Part<Element, K>[]
  : T extends object
    ? { [P in keyof Pick<T, keyof T & keyof K>]: Part<T[P], K[P & keyof K]> }
    : T;

const envelope = { id: true, time: true, recordedtime: true, traceparent: true, type: true } as const;
const site = { storeId: true } as const;
const item = { gtin: true, itemId: true } as const;

export const keptOfTransaction = {
  ...envelope,
  data: {
    site,
    workstationId: true,
    businessDay: true,
    sequenceNumber: true,
    endAt: true,
    currency: true,
    training: true,
    lines: {
      lineNumber: true,
      lineType: true,
      itemType: true,
      voided: true,
      item,
      quantity: true,
      extendedAmount: true,
      returnDisposition: true,
    },
    tenders: { tenderType: true, amount: true },
    totals: { gross: true, net: true, tax: true },
    references: { workstationId: true, businessDay: true, sequenceNumber: true, referenceType: true },
  },
} as const satisfies Kept<TransactionEvent>;

export const keptOfAborted = {
  ...envelope,
  data: { site, workstationId: true, businessDay: true, sequenceNumber: true },
} as const satisfies Kept<AbortedEvent>;

export const keptOfDayClosed = {
  ...envelope,
  data: {
    site,
    workstationId: true,
    businessDay: true,
    reportNumber: true,
    closedAt: true,
    currency: true,
    transactions: true,
    voids: true,
    gross: true,
  },
} as const satisfies Kept<DayClosedEvent>;

export const keptOfMovement = {
  ...envelope,
  data: { site, location: true, reason: true, lines: { item, quantity: true } },
} as const satisfies Kept<MovementEvent>;

export const keptOfCount = {
  ...envelope,
  data: { site, location: true, scope: true, countedAt: true, lines: { item, countedQuantity: true } },
} as const satisfies Kept<CountEvent>;

/** A fully parsed event is one of these too. */
export type StoredTransaction = Part<TransactionEvent, typeof keptOfTransaction>;
export type StoredAborted = Part<AbortedEvent, typeof keptOfAborted>;
export type StoredDayClosed = Part<DayClosedEvent, typeof keptOfDayClosed>;
export type StoredMovement = Part<MovementEvent, typeof keptOfMovement>;
export type StoredCount = Part<CountEvent, typeof keptOfCount>;
export type StoredEvent = StoredTransaction | StoredAborted | StoredDayClosed | StoredMovement | StoredCount;
