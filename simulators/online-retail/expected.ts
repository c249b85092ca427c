import { add, exactly, type Figures, nothing, quantityPlaces, valuePlaces } from './figures.ts';
import { dayOf, type Invoice, type InvoiceLine } from './invoice.ts';

/**
 * What the books must hold, computed from the files' own columns without the mapping, so that a mistake in the mapping shows as
 * a difference. Two rules make the books differ from the files, and the effect of each is counted: a line is rounded to whole
 * pence, half away from zero, and an adjustment (an invoice number with an A in front, or a negative price) is not goods, so
 * its quantity does not count.
 */
export type Expected = {
  days: Map<string, Figures>;
  /** `value` is what the books hold minus what the files hold. */
  rounded: { lines: number; value: bigint };
  adjustments: { lines: number; quantity: bigint; value: bigint };
};

export const nothingExpected = (): Expected => ({
  days: new Map(),
  rounded: { lines: 0, value: 0n },
  adjustments: { lines: 0, quantity: 0n, value: 0n },
});

const penny = 10n ** BigInt(valuePlaces - 2);

const wholePence = (value: bigint): bigint => {
  const size = value < 0n ? -value : value;
  const rest = size % penny;
  const rounded = rest * 2n >= penny ? size - rest + penny : size - rest;
  return value < 0n ? -rounded : rounded;
};

const expectLine = (expected: Expected, { invoiceNo, quantity, unitPrice }: InvoiceLine): Figures => {
  const price = exactly(unitPrice, valuePlaces);
  const value = exactly(quantity, 0) * price;
  const booked = wholePence(value);
  if (booked !== value) {
    expected.rounded.lines += 1;
    expected.rounded.value += booked - value;
  }
  const line = { lines: 1, invoices: 0, quantity: exactly(quantity, quantityPlaces), value: booked };
  if (price >= 0n && !invoiceNo.startsWith('A')) return line;
  expected.adjustments.lines += 1;
  expected.adjustments.quantity += line.quantity;
  expected.adjustments.value += booked;
  return { ...line, quantity: 0n };
};

/** Adds one invoice to its day. */
export const expectInvoice = (expected: Expected, invoice: Invoice): void => {
  const day = dayOf(invoice);
  const figures = invoice.lines
    .map((line) => expectLine(expected, line))
    .reduce(add, { ...nothing, invoices: 1 });
  expected.days.set(day, add(expected.days.get(day) ?? nothing, figures));
};
