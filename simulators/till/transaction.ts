import type { AbortedEvent, TransactionEvent } from '@branchline/contracts/parse.ts';
import { posEventId, posTypes, type Transaction } from '@branchline/contracts/pos.ts';
import type { Random } from '@branchline/kernel/random.ts';
import { taxRates } from '../assortment.ts';
import { between, chance, oneOf } from '../chance.ts';
import type { Line } from './basket.ts';

/** Where and when a transaction is printed. */
export type Printed = {
  site: string;
  workstationId: string;
  businessDay: string;
  sequenceNumber: number;
  beginAt: string;
  endAt: string;
  currency: string;
};

const amountOf = (lines: readonly Line[]): number =>
  lines.reduce((sum, line) => (line.voided === true ? sum : sum + line.extendedAmount), 0);

const taxesOf = (lines: readonly Line[]): NonNullable<Transaction['taxes']> => {
  const codes = [...new Set(lines.map((line) => line.taxCode as string))].sort();
  return codes.map((taxCode) => {
    const rate = taxRates.get(taxCode) as number;
    const gross = amountOf(lines.filter((line) => line.taxCode === taxCode));
    const net = Math.round((gross * 10_000) / (10_000 + rate)) + 0;
    return { taxCode, rate: (rate / 100).toFixed(2), gross, net, tax: gross - net };
  });
};

/** Mostly one tender; sometimes a voucher or cash first and the remainder by card. Refunds are in cash. */
const tendersOf = (random: Random, gross: number): Transaction['tenders'] => {
  if (gross <= 0) return [{ tenderType: 'CASH', amount: gross }];
  const only = oneOf(random, ['CASH', 'CARD', 'CARD'] as const);
  if (gross < 200 || !chance(random, 0.12)) return [{ tenderType: only, amount: gross }];
  const first = between(random, 1, gross - 1);
  return [
    { tenderType: oneOf(random, ['VOUCHER', 'CASH'] as const), amount: first },
    { tenderType: 'CARD', amount: gross - first },
  ];
};

export const closeTransaction = (
  random: Random,
  printed: Printed,
  lines: Line[],
  training: boolean,
): TransactionEvent => {
  const { site, ...where } = printed;
  const taxes = taxesOf(lines);
  const gross = amountOf(lines);
  const net = taxes.reduce((sum, tax) => sum + tax.net, 0);
  return transactionEvent(posTypes.completed, site, {
    site: { storeId: site },
    ...where,
    ...(training ? { training } : {}),
    lines,
    taxes,
    tenders: tendersOf(random, gross),
    totals: { gross, net, tax: gross - net },
  });
};

const reversed = (text: string): string =>
  text.startsWith('-') ? text.slice(1) : /[1-9]/.test(text) ? `-${text}` : text;

/** A post-void: a separate transaction that repeats the original with every sign reversed and refers to it. */
export const voidTransaction = (printed: Printed, original: Transaction): TransactionEvent => {
  const { site, ...where } = printed;
  const negated = (amount: number): number => 0 - amount;
  return transactionEvent(posTypes.voided, site, {
    ...original,
    ...where,
    lines: original.lines.map((line) => ({
      ...line,
      quantity: reversed(line.quantity),
      extendedAmount: negated(line.extendedAmount),
    })),
    taxes: original.taxes?.map((tax) => ({
      ...tax,
      gross: negated(tax.gross),
      net: negated(tax.net),
      tax: negated(tax.tax),
    })),
    tenders: original.tenders.map((tender) => ({ ...tender, amount: negated(tender.amount) })),
    totals: {
      gross: negated(original.totals.gross),
      net: negated(original.totals.net as number),
      tax: negated(original.totals.tax as number),
    },
    references: [
      {
        workstationId: original.workstationId,
        businessDay: original.businessDay,
        sequenceNumber: original.sequenceNumber,
        referenceType: 'VOID',
      },
    ],
  });
};

const sourceOf = (site: string, workstationId: string): string =>
  `urn:x-retail:site:${site}:ws:${workstationId}`;

const transactionEvent = (
  type: TransactionEvent['type'],
  site: string,
  data: Transaction,
): TransactionEvent => ({
  specversion: '1.0',
  id: posEventId(data, type === posTypes.voided),
  source: sourceOf(site, data.workstationId),
  type,
  time: data.endAt,
  data,
});

export const abortTransaction = (printed: Printed, reason: string): AbortedEvent => {
  const { site, currency: _, ...where } = printed;
  return {
    specversion: '1.0',
    id: posEventId(printed),
    source: sourceOf(site, printed.workstationId),
    type: posTypes.aborted,
    time: printed.endAt,
    data: { site: { storeId: site }, ...where, reason },
  };
};
