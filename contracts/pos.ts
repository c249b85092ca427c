import * as z from 'zod';
import { isCurrency } from './currency.ts';
import { quantityOf, unitPricePattern } from './decimal.ts';
import { envelope, instant, site } from './event.ts';
import { itemSchema, quantity, unitOfMeasure } from './item.ts';
import { limits } from './limits.ts';
import { isDay } from './time.ts';

/**
 * The transactions of a till: completed, voided (a full reversal that points back; nothing changes in place) and aborted; and
 * what the till states at the end of a business day, its day-end report ("Z-report").
 * Amounts are integer minor units and are stated facts: a total that does not add up is flagged, never refused, because
 * the transaction was printed with it.
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
  .regex(unitPricePattern, 'a unit price is a decimal string with at most 5 places');
const workstationId = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,32}$/, 'a workstation id is 1 to 32 of A-Z a-z 0-9 . _ -');
const sequenceNumber = z.int().min(0);
const currency = z
  .string()
  .refine(isCurrency, { message: 'not an ISO 4217 code in use', params: { code: 'unknown-currency' } });
const opaqueRef = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}_[A-Za-z0-9_-]{1,64}$`), `a pseudonym is ${prefix}_…`);

const transactionRef = { workstationId, businessDay: day, sequenceNumber };

/** SALE >= 0 and RETURN <= 0 on a completed transaction; the other way round on a void, which reverses every sign. */
const signRule = (
  line: { lineType: 'SALE' | 'RETURN'; quantity: string; extendedAmount: number },
  voided: boolean,
): boolean => {
  const sign = (line.lineType === 'SALE' ? 1 : -1) * (voided ? -1 : 1);
  return quantityOf(line.quantity) * sign >= 0 && line.extendedAmount * sign >= 0;
};

/** A line voided within its transaction is printed but counts for nothing, so no rule looks at its signs. */
const transactionRules = (voided: boolean) => (transaction: z.core.ParsePayload<Transaction>) => {
  const { lines, tenders, totals } = transaction.value;
  const seen = new Set<number>();
  for (const [i, line] of lines.entries()) {
    const at = ['lines', i];
    if (seen.has(line.lineNumber))
      transaction.issues.push({
        code: 'custom',
        input: line,
        path: [...at, 'lineNumber'],
        message: 'the line number is on the transaction twice',
      });
    seen.add(line.lineNumber);
    if (!line.voided && !signRule(line, voided)) {
      transaction.issues.push({
        code: 'custom',
        input: line,
        path: at,
        message: `quantity and amount of a ${line.lineType} line have the wrong sign`,
      });
    }
  }
  const amounts = lines.reduce((sum, line) => sum + Math.abs(line.extendedAmount), Math.abs(totals.gross));
  const quantities = lines.reduce((sum, line) => sum + Math.abs(quantityOf(line.quantity)), 0);
  if (amounts >= limits.eventSumMax || quantities >= limits.eventSumMax) {
    transaction.issues.push({
      code: 'custom',
      input: lines,
      path: ['lines'],
      message: 'amounts or quantities beyond anything a till can sell',
    });
  }
  const paid = tenders.reduce((sum, tender) => sum + tender.amount, 0);
  if (paid !== totals.gross) {
    transaction.issues.push({
      code: 'custom',
      input: tenders,
      path: ['tenders'],
      message: `the tenders add up to ${paid}, the transaction's gross is ${totals.gross}`,
    });
  }
};

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
    fiscal: z.record(z.string().max(64), z.json()).optional(),
  });

const abortedSchema = (object: typeof z.strictObject | typeof z.object) =>
  object({
    site: object(site),
    ...transactionRef,
    beginAt: instant.optional(),
    endAt: instant,
    operatorRef: opaqueRef('op').optional(),
    reason: z.string().max(64).optional(),
    fiscal: z.record(z.string().max(64), z.json()).optional(),
  });

const countOfDay = z.int().min(0);

/**
 * What a till counted of its own business day so far, cumulative: a second report of the same day has a higher number
 * and takes the place of the first. `transactions` are completed transactions without training, `voids` are voids, `gross` is the sum
 * of both. All three are stated facts; whether the books agree is for a report to show.
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

/** `strictObject` for the intake, which stores nothing it does not know; `object` for readers, which ignore additions. */
export const posSchemas = (object: typeof z.strictObject | typeof z.object) =>
  [
    withEnvelope(object, posTypes.completed, transactionSchema(object).check(transactionRules(false))),
    withEnvelope(
      object,
      posTypes.voided,
      transactionSchema(object)
        .check(transactionRules(true))
        .refine(
          (transaction) => transaction.references?.some((r) => r.referenceType === 'VOID') === true,
          'a void refers to the transaction it reverses',
        ),
    ),
    withEnvelope(object, posTypes.aborted, abortedSchema(object)),
    withEnvelope(object, posTypes.dayClosed, dayReportSchema(object)),
  ] as const;

/** `{workstation}:{businessDay}:{sequenceNumber}`, with `:void` for a void: a till that exports twice makes the same ids. */
export const posEventId = (
  transaction: { workstationId: string; businessDay: string; sequenceNumber: number },
  voided = false,
): string =>
  `${transaction.workstationId}:${transaction.businessDay}:${transaction.sequenceNumber}${voided ? ':void' : ''}`;

/** `{workstation}:{businessDay}:z:{reportNumber}`: no transaction has an id of this form, because theirs go on with a number. */
export const dayReportId = (report: {
  workstationId: string;
  businessDay: string;
  reportNumber: number;
}): string => `${report.workstationId}:${report.businessDay}:z:${report.reportNumber}`;
