import { decimalText, quantityScale } from '@branchline/contracts/decimal.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { Sold, Sums } from '../core/sums.ts';

/** Formats of figures in answers: instants as RFC 3339 in UTC, thousandths as decimals. */

/**
 * A time beyond what may be written, such as one that an older version stored, becomes the nearest that can: one row must not
 * fail a list. The end of the last interval of the year 9999 is such a time too.
 */
export const instantText = (at: number): string =>
  new Date(Math.min(limits.instantMsMax, Math.max(limits.instantMsMin, at))).toISOString();

export const instantOrNull = (at: number | null): string | null => (at === null ? null : instantText(at));

export const quantityText = (thousandths: number): string => decimalText(thousandths, quantityScale);

export const sold = (sums: Sold) => ({
  transactions: sums.transactions,
  voids: sums.voids,
  lines: sums.lines,
  units: quantityText(sums.units),
  gross: sums.gross,
});

export const nothingSold = {
  transactions: 0,
  voids: 0,
  lines: 0,
  units: 0,
  gross: 0,
  lateTransactions: 0,
  lateGross: 0,
  revision: 0,
};

/** The figure first reported: without late events. */
export const onTime = (sums: Pick<Sums, 'transactions' | 'lateTransactions' | 'gross' | 'lateGross'>) => ({
  transactions: sums.transactions - sums.lateTransactions,
  gross: sums.gross - sums.lateGross,
});

/** ISO 4217's code for "no currency", used until anything was sold. */
export const noCurrency = 'XXX';
