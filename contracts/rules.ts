import type * as z from 'zod';
import { quantityOf } from './decimal.ts';
import type { ErrorCode } from './errors.ts';
import { limits } from './limits.ts';

/**
 * What must hold across the fields of an event. Each rule is written once and applied by every reader: the schemas call it
 * through `obeys`, the reader of stored events by its name. A rule declares only the fields that it needs, because the reader
 * of stored events extracts no others.
 */

/** The first violation found. `path` is relative to the value given to the rule; `code` is `schema` if absent. */
export type Fault = { path: (string | number)[]; message: string; code?: ErrorCode };
export type Rule<T> = (value: T) => Fault | undefined;

const rulesOfChecks = new WeakMap<object, Rule<never>>();

/** A rule as a schema check. */
export const obeys = <T>(rule: Rule<T>) => {
  const check = (payload: z.core.ParsePayload<T>): void => {
    const fault = rule(payload.value);
    if (fault === undefined) return;
    const { path, message, code } = fault;
    payload.issues.push({ code: 'custom', input: payload.value, path, message, params: { code } });
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

const invisiblePattern = /\p{Default_Ignorable_Code_Point}/gu;
const blankPattern = /[\p{Z}\u2800]/gu;

/**
 * True for ASCII without surrounding blanks, which nearly all ids are. A loop, because a pattern takes several times as long.
 */
const isPlainId = (text: string): boolean => {
  const last = text.length - 1;
  for (let i = 0; i <= last; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7e || code < 0x20 || (code === 0x20 && (i === 0 || i === last))) return false;
  }
  return true;
};

/**
 * The form in which an item id is compared and kept: Unicode form C, no surrounding blanks, no invisible characters, every
 * other blank a space. Agents store this form; the books also apply it to what older agents stored.
 */
export const itemIdForm = (text: string): string =>
  isPlainId(text)
    ? text
    : text.replace(invisiblePattern, '').replace(blankPattern, ' ').normalize('NFC').trim();

/**
 * What a line sells if it is not goods. Such a line moves no stock and adds no units. `amountSign` is the sign of the amount of
 * a SALE line, 0 for either. `isSales` says whether the amount belongs to the retailer's sales: a deposit, a gift card, a tip
 * or a donation is money that the till takes for somebody else or for later.
 */
export const itemTypes = {
  SERVICE: { amountSign: 1, isSales: true },
  COUPON: { amountSign: -1, isSales: true },
  DEPOSIT: { amountSign: 1, isSales: false },
  GIFT_CARD: { amountSign: 1, isSales: false },
  TIP: { amountSign: 1, isSales: false },
  CHARITY: { amountSign: 1, isSales: false },
  ADJUSTMENT: { amountSign: 0, isSales: false },
} as const;
export type ItemType = keyof typeof itemTypes;

/** The tender for the difference between the gross and the cash paid where small coins do not exist. */
export const roundingTender = 'ROUNDING';

type Line = {
  lineNumber: number;
  lineType: 'SALE' | 'RETURN';
  itemType?: ItemType | undefined;
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
const hasSigns = (line: Line, thousandths: number, ofSale: 1 | -1): boolean => {
  const { lineType, itemType, voided, extendedAmount } = line;
  const sign = lineType === 'SALE' ? ofSale : -ofSale;
  const amountSign = itemType === undefined ? 1 : itemTypes[itemType].amountSign;
  return voided === true || (thousandths * sign >= 0 && extendedAmount * sign * amountSign >= 0);
};

const signFault = ({ lineType, itemType }: Line, i: number): Fault => ({
  path: ['lines', i],
  message: `the quantity or amount of a ${lineType} line${itemType === undefined ? '' : ` of type ${itemType}`} has the wrong sign`,
  code: 'line-sign',
});

const transactionFault = (
  { lines, tenders, totals }: TransactionFacts,
  ofSale: 1 | -1,
): Fault | undefined => {
  const seen = isAscending(lines) ? undefined : new Set<number>();
  let amounts = Math.abs(totals.gross);
  let quantities = 0;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as Line;
    if (seen?.has(line.lineNumber))
      return { path: ['lines', i, 'lineNumber'], message: 'the line number occurs twice on the transaction' };
    seen?.add(line.lineNumber);
    const thousandths = quantityOf(line.quantity);
    if (!hasSigns(line, thousandths, ofSale)) return signFault(line, i);
    amounts += Math.abs(line.extendedAmount);
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
        code: 'tenders-differ',
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
