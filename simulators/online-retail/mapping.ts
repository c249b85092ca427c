import { unitPriceScale } from '@branchline/contracts/decimal.ts';
import { fnv1a } from '@branchline/contracts/ids.ts';
import type { MovementEvent, TransactionEvent } from '@branchline/contracts/parse.ts';
import { posEventId, posTypes } from '@branchline/contracts/pos.ts';
import type { MovementReason } from '@branchline/contracts/rules.ts';
import { stockTypes } from '@branchline/contracts/stock.ts';
import { instantOfLocal, instantText } from '@branchline/kernel/zone.ts';
import { DataSetError, dateOf, dayOf, type Invoice, type InvoiceLine } from './invoice.ts';

/**
 * One invoice becomes one event. Invoices that cost nothing and name no customer are corrections by the warehouse and become
 * stock movements; all others become transactions in pounds, with adjustments as lines that are not goods. Ids come from the
 * invoice number alone, so that reading the files again yields the same ids.
 */

const zone = 'Europe/London';

/** The data has no shops, so they are invented: FNV-1a (32 bit) of the invoice number, modulo the number of sites. */
export const siteOf = (invoiceNo: string, sites: number): string => siteName(fnv1a(invoiceNo) % sites);

export const siteName = (index: number): string => `store-${String(index + 1).padStart(4, '0')}`;

const scaledPrice = (text: string): bigint => {
  const [whole, fraction = ''] = text.split('.') as [string, string?];
  return BigInt(whole + fraction.padEnd(unitPriceScale, '0'));
};

/** The data set has no line amounts; one that is not whole pence is rounded half away from zero, as a till would. */
const pence = (line: InvoiceLine): number => {
  const exact = BigInt(line.quantity) * scaledPrice(line.unitPrice);
  const perPenny = 10n ** BigInt(unitPriceScale - 2);
  const half = exact < 0n ? -perPenny / 2n : perPenny / 2n;
  return Number((exact + half) / perPenny);
};

/** The write-off of a bad debt, or another correction of amounts: nothing was sold or returned. */
const isAdjustment = ({ invoiceNo, unitPrice }: InvoiceLine): boolean =>
  invoiceNo.startsWith('A') || /^-.*[1-9]/.test(unitPrice);

const itemOf = ({ stockCode, description }: InvoiceLine) => ({
  itemId: stockCode,
  ...(description === '' ? {} : { description }),
});

const isNegative = (line: InvoiceLine): boolean => line.quantity.startsWith('-');

const isCorrection = ({ lines }: Invoice): boolean =>
  lines.every((line) => !line.hasCustomer && /^-?[0.]+$/.test(line.unitPrice));

const damageWords = /damag|broken|faulty|wet|mould|rust|crush|smash|unsaleable|thrown|destroy/i;
const lossWords = /missing|lost|stolen|short/i;

const reasonOf = ({ lines }: Invoice): MovementReason => {
  if (!lines.every(isNegative)) return 'ADJUSTMENT';
  const words = lines.map(({ description }) => description).join(' ');
  return damageWords.test(words) ? 'SPOILAGE' : lossWords.test(words) ? 'SHRINK' : 'ADJUSTMENT';
};

const timeOf = (invoice: Invoice): string => {
  const date = dateOf(invoice);
  const local = Date.parse(`${date.replace(' ', 'T')}Z`);
  const first = invoice.lines[0] as InvoiceLine;
  // Date.parse turns 30 February into a day of March instead of rejecting it.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(date.slice(0, 10)))
    throw new DataSetError(first.file, first.line, `InvoiceDate ${date} does not exist`);
  return instantText(zone, instantOfLocal(zone, local));
};

const movementOf = (invoice: Invoice, site: string): MovementEvent => {
  const id = `online-retail:${invoice.invoiceNo}`;
  const note = invoice.lines.find(({ description }) => description !== '')?.description;
  return {
    specversion: '1.0',
    id,
    source: `urn:x-retail:site:${site}:wh:stockroom`,
    type: stockTypes.movement,
    time: timeOf(invoice),
    data: {
      site: { storeId: site },
      movementId: id,
      reason: reasonOf(invoice),
      lines: invoice.lines.map((line) => ({ item: itemOf(line), quantity: line.quantity })),
      ...(note === undefined ? {} : { note }),
    },
  };
};

const transactionOf = (invoice: Invoice, site: string): TransactionEvent => {
  const { invoiceNo } = invoice;
  const endAt = timeOf(invoice);
  const lines = invoice.lines.map((line, i) => ({
    lineNumber: i + 1,
    lineType: isNegative(line) ? ('RETURN' as const) : ('SALE' as const),
    ...(isAdjustment(line) ? { itemType: 'ADJUSTMENT' as const } : {}),
    item: itemOf(line),
    quantity: line.quantity,
    actualUnitPrice: line.unitPrice,
    extendedAmount: pence(line),
  }));
  const gross = lines.reduce((sum, line) => sum + line.extendedAmount, 0);
  // A cancellation's number is an invoice number with a letter in front: a separate till keeps the two apart.
  const prefix = /^[A-Z]/.exec(invoiceNo)?.[0];
  const transaction = {
    workstationId: prefix === undefined ? 'invoices' : `invoices-${prefix}`,
    businessDay: dayOf(invoice),
    sequenceNumber: Number(invoiceNo.slice(prefix === undefined ? 0 : 1)),
  };
  return {
    specversion: '1.0',
    id: posEventId(transaction),
    source: `urn:x-retail:site:${site}:ws:${transaction.workstationId}`,
    type: posTypes.completed,
    time: endAt,
    data: {
      site: { storeId: site },
      ...transaction,
      receiptNumber: invoiceNo,
      endAt,
      currency: 'GBP',
      lines,
      tenders: [{ tenderType: 'INVOICE', amount: gross }],
      totals: { gross },
    },
  };
};

/** Throws DataSetError if a date does not exist. */
export const eventOf = (invoice: Invoice, sites: number): TransactionEvent | MovementEvent => {
  const site = siteOf(invoice.invoiceNo, sites);
  return isCorrection(invoice) ? movementOf(invoice, site) : transactionOf(invoice, site);
};
