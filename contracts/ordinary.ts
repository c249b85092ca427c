import { isCurrency } from './currency.ts';
import { quantityOf, quantityPattern, unitPricePattern } from './decimal.ts';
import { hasCheckDigit } from './event.ts';
import { namePattern } from './ids.ts';
import { limits } from './limits.ts';
import type { TransactionEvent } from './parse.ts';
import { posEventId, posTypes } from './pos.ts';
import { isDay, isInstant } from './time.ts';

/**
 * A short way for what nearly every event is: a completed transaction without returns, references, customer or fiscal data. The
 * schemas stay the only definition of what is valid; this says yes only to a part of what they accept, in a tenth of
 * their time, and whatever it says no to goes to them. `ordinary.test.ts` holds it to that.
 */

type Value = { readonly [key: string]: unknown };

const isObject = (value: unknown): value is Value =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether the keys are among these and in this order, which is the order in which the schemas put them. */
const hasKeys = (value: Value, keys: readonly string[]): boolean => {
  let next = 0;
  for (const key in value) {
    while (next < keys.length && keys[next] !== key) next++;
    if (next === keys.length) return false;
    next++;
  }
  return true;
};

const matches = (value: unknown, pattern: RegExp): value is string =>
  typeof value === 'string' && pattern.test(value);
const isTextOrAbsent = (value: unknown, lengthMax: number): boolean =>
  value === undefined || (typeof value === 'string' && value.length <= lengthMax);
const isTime = (value: unknown): boolean => typeof value === 'string' && isInstant(value);
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
const isWholeOrAbsent = (value: unknown): boolean => value === undefined || Number.isSafeInteger(value);
const isFlagOrAbsent = (value: unknown): boolean => value === undefined || typeof value === 'boolean';
const fitsOrAbsent = (value: unknown, pattern: RegExp): boolean =>
  value === undefined || matches(value, pattern);

const patterns = {
  id: /^[\x21-\x7e]{1,128}$/,
  source: /^urn:x-retail:(gln:\d{13}|site:[a-z0-9-]{1,32}):ws:[A-Za-z0-9._-]{1,32}$/,
  traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/,
  workstation: /^[A-Za-z0-9._-]{1,32}$/,
  operator: /^op_[A-Za-z0-9_-]{1,64}$/,
  itemId: /^[\x20-\x7e]{1,64}$/,
  gtin: /^\d{14}$/,
  unit: /^[A-Z0-9]{2,3}$/,
  tender: /^[A-Z0-9_]{1,32}$/,
  classification: /^(public|internal|confidential|restricted)$/,
  entryMethod: /^(SCANNED|KEYED|WEIGHED|OTHER)$/,
};

const itemKeys = ['gtin', 'itemId', 'description'];
const isItem = (item: unknown): boolean =>
  isObject(item) &&
  hasKeys(item, itemKeys) &&
  (item.itemId !== undefined || item.gtin !== undefined) &&
  fitsOrAbsent(item.itemId, patterns.itemId) &&
  (item.gtin === undefined || (matches(item.gtin, patterns.gtin) && hasCheckDigit(item.gtin))) &&
  isTextOrAbsent(item.description, 200);

const lineKeys = [
  'lineNumber',
  'lineType',
  'item',
  'quantity',
  'uom',
  'entryMethod',
  'regularUnitPrice',
  'actualUnitPrice',
  'extendedAmount',
  'discountAmount',
  'taxCode',
];

/** A sale of something, numbered higher than the line before it. */
const isSaleLine = (line: unknown, after: number): line is { lineNumber: number; quantity: string } & Value =>
  isObject(line) &&
  hasKeys(line, lineKeys) &&
  isWhole(line.lineNumber) &&
  line.lineNumber > after &&
  line.lineType === 'SALE' &&
  isItem(line.item) &&
  matches(line.quantity, quantityPattern) &&
  line.quantity.charCodeAt(0) !== 45 &&
  isWhole(line.extendedAmount) &&
  line.extendedAmount >= 0 &&
  isWholeOrAbsent(line.discountAmount) &&
  fitsOrAbsent(line.uom, patterns.unit) &&
  fitsOrAbsent(line.entryMethod, patterns.entryMethod) &&
  fitsOrAbsent(line.regularUnitPrice, unitPricePattern) &&
  fitsOrAbsent(line.actualUnitPrice, unitPricePattern) &&
  isTextOrAbsent(line.taxCode, 16);

const areSaleLines = (lines: unknown, gross: number): boolean => {
  if (!Array.isArray(lines) || lines.length > limits.linesPerEventMax) return false;
  let after = 0;
  let amounts = Math.abs(gross);
  let quantities = 0;
  for (const line of lines) {
    if (!isSaleLine(line, after)) return false;
    after = line.lineNumber;
    amounts += line.extendedAmount as number;
    quantities += quantityOf(line.quantity);
  }
  return amounts < limits.eventSumMax && quantities < limits.eventSumMax;
};

const tenderKeys = ['tenderType', 'amount'];
const areTenders = (tenders: unknown, gross: number): boolean => {
  if (!Array.isArray(tenders) || tenders.length > 64) return false;
  let paid = 0;
  for (const tender of tenders) {
    if (!isObject(tender) || !hasKeys(tender, tenderKeys) || !matches(tender.tenderType, patterns.tender))
      return false;
    if (!isWhole(tender.amount)) return false;
    paid += tender.amount;
  }
  return paid === gross;
};

const taxKeys = ['taxCode', 'rate', 'gross', 'net', 'tax'];
const areTaxesOrAbsent = (taxes: unknown): boolean => {
  if (taxes === undefined) return true;
  if (!Array.isArray(taxes) || taxes.length > 32) return false;
  return taxes.every(
    (tax) =>
      isObject(tax) &&
      hasKeys(tax, taxKeys) &&
      typeof tax.taxCode === 'string' &&
      tax.taxCode.length <= 16 &&
      matches(tax.rate, unitPricePattern) &&
      isWhole(tax.gross) &&
      isWhole(tax.net) &&
      isWhole(tax.tax),
  );
};

const totalsKeys = ['gross', 'net', 'tax'];
const siteKeys = ['storeId'];
const transactionKeys = [
  'site',
  'workstationId',
  'businessDay',
  'sequenceNumber',
  'receiptNumber',
  'beginAt',
  'endAt',
  'operatorRef',
  'currency',
  'training',
  'offline',
  'lines',
  'taxes',
  'tenders',
  'totals',
];

const isTransaction = (transaction: unknown): transaction is TransactionEvent['data'] =>
  isObject(transaction) &&
  hasKeys(transaction, transactionKeys) &&
  isObject(transaction.site) &&
  hasKeys(transaction.site, siteKeys) &&
  matches(transaction.site.storeId, namePattern) &&
  matches(transaction.workstationId, patterns.workstation) &&
  typeof transaction.businessDay === 'string' &&
  isDay(transaction.businessDay) &&
  isWhole(transaction.sequenceNumber) &&
  transaction.sequenceNumber >= 0 &&
  isTextOrAbsent(transaction.receiptNumber, 64) &&
  (transaction.beginAt === undefined || isTime(transaction.beginAt)) &&
  isTime(transaction.endAt) &&
  fitsOrAbsent(transaction.operatorRef, patterns.operator) &&
  typeof transaction.currency === 'string' &&
  isCurrency(transaction.currency) &&
  isFlagOrAbsent(transaction.training) &&
  isFlagOrAbsent(transaction.offline) &&
  isObject(transaction.totals) &&
  hasKeys(transaction.totals, totalsKeys) &&
  isWhole(transaction.totals.gross) &&
  isWholeOrAbsent(transaction.totals.net) &&
  isWholeOrAbsent(transaction.totals.tax) &&
  areSaleLines(transaction.lines, transaction.totals.gross) &&
  areTaxesOrAbsent(transaction.taxes) &&
  areTenders(transaction.tenders, transaction.totals.gross);

/** In any order, because the agent puts `recordedtime` first and a till need not know the schema's order. */
const envelopeKeys = new Set([
  'specversion',
  'id',
  'source',
  'time',
  'recordedtime',
  'datacontenttype',
  'dataclassification',
  'traceparent',
  'type',
  'data',
]);

/** The transaction as the schemas would give it, keys in their order; undefined when they have to look themselves. */
export const ordinaryTransaction = (value: object): TransactionEvent | undefined => {
  for (const key in value) if (!envelopeKeys.has(key)) return undefined;
  const { specversion, id, source, time, recordedtime, datacontenttype, dataclassification } = value as Value;
  const { traceparent, type, data } = value as Value;
  const fits =
    specversion === '1.0' &&
    type === posTypes.completed &&
    matches(id, patterns.id) &&
    matches(source, patterns.source) &&
    isTime(time) &&
    (recordedtime === undefined || isTime(recordedtime)) &&
    (datacontenttype === undefined || datacontenttype === 'application/json') &&
    fitsOrAbsent(dataclassification, patterns.classification) &&
    fitsOrAbsent(traceparent, patterns.traceparent) &&
    isTransaction(data) &&
    id === posEventId(data);
  if (!fits) return undefined;
  return {
    specversion,
    id,
    source,
    time,
    recordedtime,
    datacontenttype,
    dataclassification,
    traceparent,
    type,
    data,
  } as TransactionEvent;
};
