import type * as z from 'zod';
import { quantityOf } from './decimal.ts';
import { limits } from './limits.ts';

/**
 * What must hold across the fields of an event. Each rule is written once and applied by every reader: the schemas call it
 * through `obeys`, the reader of stored events by its name. A rule declares only the fields that it needs, because the reader
 * of stored events extracts no others.
 */

/** The first violation found; `path` is relative to the value that the rule was given. */
export type Fault = { path: (string | number)[]; message: string };
export type Rule<T> = (value: T) => Fault | undefined;

const rulesOfChecks = new WeakMap<object, Rule<never>>();

/** A rule as a schema check. */
export const obeys = <T>(rule: Rule<T>) => {
  const check = (payload: z.core.ParsePayload<T>): void => {
    const fault = rule(payload.value);
    if (fault !== undefined) payload.issues.push({ code: 'custom', input: payload.value, ...fault });
  };
  rulesOfChecks.set(check, rule);
  return check;
};

/** The rule behind a schema check, if there is one; for the generator of the reader. */
export const ruleOf = (check: object): Rule<never> | undefined => rulesOfChecks.get(check);

export const itemIsNamed: Rule<{ gtin?: string | undefined; itemId?: string | undefined }> = (item) =>
  item.gtin === undefined && item.itemId === undefined
    ? { path: [], message: 'an item needs a gtin or an itemId' }
    : undefined;

type Line = {
  lineNumber: number;
  lineType: 'SALE' | 'RETURN';
  voided?: boolean | undefined;
  quantity: string;
  extendedAmount: number;
};

/** The fields that the rules of a transaction need. */
type TransactionFacts = {
  lines: readonly Line[];
  tenders: readonly { amount: number }[];
  totals: { gross: number };
};

const isAscending = (lines: readonly Line[]): boolean => {
  let before = 0;
  for (const { lineNumber } of lines) {
    if (lineNumber <= before) return false;
    before = lineNumber;
  }
  return true;
};

/** A line that was voided within its transaction is printed but does not count, so its signs are not checked. */
const transactionFault = (
  { lines, tenders, totals }: TransactionFacts,
  ofSale: 1 | -1,
): Fault | undefined => {
  const seen = isAscending(lines) ? undefined : new Set<number>();
  let amounts = Math.abs(totals.gross);
  let quantities = 0;
  for (let i = 0; i < lines.length; i++) {
    const { lineNumber, lineType, voided, quantity, extendedAmount } = lines[i] as Line;
    if (seen?.has(lineNumber))
      return { path: ['lines', i, 'lineNumber'], message: 'the line number occurs twice on the transaction' };
    seen?.add(lineNumber);
    const thousandths = quantityOf(quantity);
    const sign = lineType === 'SALE' ? ofSale : -ofSale;
    if (!voided && !(thousandths * sign >= 0 && extendedAmount * sign >= 0))
      return {
        path: ['lines', i],
        message: `the quantity or amount of a ${lineType} line has the wrong sign`,
      };
    amounts += Math.abs(extendedAmount);
    quantities += Math.abs(thousandths);
  }
  if (amounts >= limits.eventSumMax || quantities >= limits.eventSumMax)
    return { path: ['lines'], message: 'the amounts or quantities add up to more than any till can sell' };
  let paid = 0;
  for (const { amount } of tenders) paid += amount;
  return paid === totals.gross
    ? undefined
    : {
        path: ['tenders'],
        message: `the tenders add up to ${paid}, the transaction's gross is ${totals.gross}`,
      };
};

/** SALE >= 0 and RETURN <= 0; a void reverses every sign. */
export const completedIsConsistent: Rule<TransactionFacts> = (transaction) =>
  transactionFault(transaction, 1);

export const voidIsConsistent: Rule<
  TransactionFacts & { references?: readonly { referenceType: string }[] | undefined }
> = (transaction) => {
  const fault = transactionFault(transaction, -1);
  if (fault !== undefined) return fault;
  return transaction.references?.some(({ referenceType }) => referenceType === 'VOID') === true
    ? undefined
    : { path: [], message: 'a void refers to the transaction it reverses' };
};

/** The sign that each reason for a movement requires: 1, -1, or 0 for either. */
export const movementSigns = {
  GOODS_RECEIVED: 1,
  TRANSFER_OUT: -1,
  TRANSFER_IN: 1,
  SPOILAGE: -1,
  SHRINK: -1,
  ADJUSTMENT: 0,
  SUPPLIER_RETURN: -1,
} as const;
export type MovementReason = keyof typeof movementSigns;

export const movementIsConsistent: Rule<{
  reason: MovementReason;
  lines: readonly { quantity: string }[];
}> = ({ reason, lines }) => {
  let quantities = 0;
  for (const { quantity } of lines) quantities += Math.abs(quantityOf(quantity));
  if (quantities >= limits.eventSumMax)
    return { path: ['lines'], message: 'the quantities add up to more than any shelf can hold' };
  const sign = movementSigns[reason];
  const wrong = lines.findIndex(({ quantity }) => quantityOf(quantity) * sign < 0);
  return wrong === -1
    ? undefined
    : { path: ['lines', wrong, 'quantity'], message: `a quantity of ${reason} has the wrong sign` };
};
