import * as z from 'zod';
import { isCurrency } from './currency.ts';
import { unitPricePattern } from './decimal.ts';
import { envelope, instant, site } from './event.ts';
import { itemSchema, quantity, unitOfMeasure } from './item.ts';
import { isJson, type Json, withoutProto } from './json.ts';
import { limits } from './limits.ts';
import { completedIsConsistent, type ItemType, itemTypes, obeys, voidIsConsistent } from './rules.ts';
import { isDay } from './time.ts';

/**
 * What a till reports: transactions that were completed, voided (a full reversal that refers back; nothing changes in place)
 * or aborted, and the day-end report ("Z-report") of a business day.
 * Amounts are integer minor units and stated facts: a total that does not add up is flagged, never refused, because the
 * transaction was printed with it.
 *
 * A field is added here; then `npm test -- contracts/stored-event.test.ts -u` generates the hub's reader anew. To reach the
 * books it also needs `stored-fields.ts`, `hub/ledger/books/entry.ts`, `hub/ledger/books/journal.ts` and a migration.
 */
export const posTypes = {
  completed: 'org.branchline.pos.transaction.completed.v1',
  voided: 'org.branchline.pos.transaction.voided.v1',
  aborted: 'org.branchline.pos.transaction.aborted.v1',
  dayClosed: 'org.branchline.pos.day.closed.v1',
} as const;

const day = z.string().refine(isDay, 'not a day that exists, as YYYY-MM-DD');
const amount = z.int('an amount is a whole number of minor units within 2^53-1');
const unitPrice = z
  .string()
  .regex(unitPricePattern, 'a unit price is a decimal string with at most 9 digits and 5 places');
const workstationId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,32}$/, 'a workstation id is 1 to 32 of A-Z a-z 0-9 . _ -');
const sequenceNumber = z.int().min(0);
const currency = z
  .string()
  .refine(isCurrency, { message: 'not an ISO 4217 code in use', params: { code: 'unknown-currency' } });
const opaqueRef = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}_[A-Za-z0-9_-]{1,64}$`), `a pseudonym is ${prefix}_…`);

/** Data of a fiscal device or for an authority, in its own form. Not `z.json()`, because zod compiles no recursive schema. */
const fiscal = z.record(
  z.string().max(64),
  z.custom<Json>(isJson, 'not a JSON value').overwrite(withoutProto),
);

const itemTypeNames = Object.keys(itemTypes) as [ItemType, ...ItemType[]];

const transactionRef = { workstationId, businessDay: day, sequenceNumber };

const transactionSchema = (object: typeof z.strictObject | typeof z.object) =>
  object({
    site: object(site),
    ...transactionRef,
    receiptNumber: z.string().max(64).optional(),
    beginAt: instant.optional(),
    endAt: instant,
    operatorRef: opaqueRef('op').optional(),
    currency,
    training: z.boolean().optional(),
    offline: z.boolean().optional(),
    lines: z
      .array(
        object({
          lineNumber: z.int().min(1),
          lineType: z.enum(['SALE', 'RETURN']),
          itemType: z.enum(itemTypeNames).optional(),
          voided: z.boolean().optional(),
          item: itemSchema(object),
          quantity,
          uom: unitOfMeasure.optional(),
          entryMethod: z.enum(['SCANNED', 'KEYED', 'WEIGHED', 'OTHER']).optional(),
          regularUnitPrice: unitPrice.optional(),
          actualUnitPrice: unitPrice.optional(),
          extendedAmount: amount,
          discountAmount: amount.optional(),
          taxCode: z.string().max(16).optional(),
          returnReason: z.string().max(64).optional(),
          returnDisposition: z
            .enum(['sellable_accessible', 'sellable_not_accessible', 'non_sellable_other'])
            .optional(),
          originalTransaction: object({
            ...transactionRef,
            lineNumber: z.int().min(1).optional(),
          }).optional(),
        }),
      )
      .max(limits.linesPerEventMax),
    taxes: z
      .array(
        object({ taxCode: z.string().max(16), rate: unitPrice, gross: amount, net: amount, tax: amount }),
      )
      .max(32)
      .optional(),
    tenders: z.array(object({ tenderType: z.string().regex(/^[A-Z0-9_]{1,32}$/), amount })).max(64),
    totals: object({ gross: amount, net: amount.optional(), tax: amount.optional() }),
    references: z
      .array(object({ ...transactionRef, referenceType: z.enum(['VOID', 'RESUME', 'RELATED']) }))
      .max(64)
      .optional(),
    customer: z
      .strictObject({
        customerRef: opaqueRef('sub').optional(),
        sealed: z
          .strictObject({
            v: z.literal(1),
            kid: z.string().max(64),
            alg: z.literal('A256GCM'),
            iv: z.string().max(64),
            ct: z.string().max(8192),
          })
          .optional(),
      })
      .optional(),
    fiscal: fiscal.optional(),
  });

const abortedSchema = (object: typeof z.strictObject | typeof z.object) =>
  object({
    site: object(site),
    ...transactionRef,
    beginAt: instant.optional(),
    endAt: instant,
    operatorRef: opaqueRef('op').optional(),
    reason: z.string().max(64).optional(),
    fiscal: fiscal.optional(),
  });

const countOfDay = z.int().min(0);

/**
 * What a till counted of its business day so far. Cumulative: a second report of the day has a higher number and replaces the
 * first. `transactions` counts completed transactions without training, `voids` counts voids, `gross` is the sum of both. All
 * three are stated facts; a report shows whether the books agree.
 */
const dayReportSchema = (object: typeof z.strictObject | typeof z.object) =>
  object({
    site: object(site),
    workstationId,
    businessDay: day,
    reportNumber: z.int().min(1),
    closedAt: instant,
    currency,
    transactions: countOfDay,
    voids: countOfDay,
    gross: amount,
    operatorRef: opaqueRef('op').optional(),
  });

export type Transaction = z.infer<ReturnType<typeof transactionSchema>>;
export type AbortedTransaction = z.infer<ReturnType<typeof abortedSchema>>;
export type DayReport = z.infer<ReturnType<typeof dayReportSchema>>;

const withEnvelope = <T extends string, D extends z.ZodType>(
  object: typeof z.strictObject | typeof z.object,
  type: T,
  data: D,
) => object({ ...envelope, type: z.literal(type), data });

/** Pass `strictObject` for the intake, which stores nothing it does not know, or `object` for readers, which ignore additions. */
export const posSchemas = (object: typeof z.strictObject | typeof z.object) => {
  const transaction = transactionSchema(object);
  return [
    withEnvelope(object, posTypes.completed, transaction.check(obeys(completedIsConsistent))),
    withEnvelope(object, posTypes.voided, transaction.check(obeys(voidIsConsistent))),
    withEnvelope(object, posTypes.aborted, abortedSchema(object)),
    withEnvelope(object, posTypes.dayClosed, dayReportSchema(object)),
  ] as const;
};

export type TransactionName = { workstationId: string; businessDay: string; sequenceNumber: number };
export type DayReportName = { workstationId: string; businessDay: string; reportNumber: number };

/** `{workstation}:{businessDay}:{sequenceNumber}`, and `:void` for a void, so that a till that exports twice makes the same ids. */
export const posEventId = (
  { workstationId, businessDay, sequenceNumber }: TransactionName,
  voided = false,
): string => `${workstationId}:${businessDay}:${sequenceNumber}${voided ? ':void' : ''}`;

/** `{workstation}:{businessDay}:z:{reportNumber}`: transaction ids have a number instead of the `z`. */
export const dayReportId = ({ workstationId, businessDay, reportNumber }: DayReportName): string =>
  `${workstationId}:${businessDay}:z:${reportNumber}`;
