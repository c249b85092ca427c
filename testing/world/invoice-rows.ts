import type { Invoice, InvoiceLine } from '@branchline/simulators/online-retail/invoice.ts';

/** For tests: an invoice with one line per row of [quantity, unit price]. */
export const invoiceOf = (
  invoiceNo: string,
  rows: readonly (readonly [quantity: string, unitPrice: string])[],
  facts: Partial<InvoiceLine> = {},
): Invoice => ({
  invoiceNo,
  lines: rows.map(([quantity, unitPrice], i) => ({
    file: '2010-12-01.csv',
    line: i + 2,
    invoiceNo,
    stockCode: '85123A',
    description: 'WHITE HANGING HEART',
    quantity,
    invoiceDate: '2010-12-01 08:26:00',
    unitPrice,
    hasCustomer: true,
    ...facts,
  })),
});
