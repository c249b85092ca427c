import { add, exactly, type Figures, nothing, quantityPlaces, valuePlaces } from './figures.ts';
import { dayOf, type Invoice } from './invoice.ts';

/**
 * What the books must hold, computed from the files' own columns without the mapping, so that a mistake in the mapping
 * shows as a difference.
 */
const expectedOf = (invoice: Invoice): Figures =>
  invoice.lines
    .map(({ quantity, unitPrice }) => ({
      lines: 1,
      invoices: 0,
      quantity: exactly(quantity, quantityPlaces),
      value: exactly(quantity, 0) * exactly(unitPrice, valuePlaces),
    }))
    .reduce(add, { ...nothing, invoices: 1 });

/** Adds one invoice to its day. */
export const expectInvoice = (expected: Map<string, Figures>, invoice: Invoice): void => {
  const day = dayOf(invoice);
  expected.set(day, add(expected.get(day) ?? nothing, expectedOf(invoice)));
};
