import type { AbortedEvent, DayClosedEvent, TransactionEvent } from '@branchline/contracts/parse.ts';
import { posTypes, type Transaction } from '@branchline/contracts/pos.ts';
import type { Random } from '@branchline/kernel/random.ts';
import { instantText, localDay } from '@branchline/kernel/zone.ts';
import { between, chance, oneOf, weighted } from '../chance.ts';
import { type DayTally, tallyDay } from '../day-tally.ts';
import { numberByDay } from '../numbering.ts';
import { type Line, returnOf, returnUnknown, sellLines, withVoidedLine } from './basket.ts';
import { abortTransaction, closeTransaction, type Printed, voidTransaction } from './transaction.ts';

/**
 * One simulated till. The same options and the same instants give the same transactions, byte for byte: all chance comes from
 * `random`, all time from the caller.
 */
export type TillOptions = {
  site: string;
  workstationId: string;
  zone: string;
  currency: string;
  /** When this run began; see numbering.ts. */
  startedAt: number;
  random: Random;
};

export type Till = {
  /**
   * The next thing the till prints, at `at` (milliseconds since 1970): a transaction, or first of all the day-end report of a
   * day that is over. A till that is started again within a day has forgotten what it sold before, and its report of
   * that day lacks it; the books then say that the two differ.
   */
  next(at: number): TransactionEvent | AbortedEvent | DayClosedEvent;
};

/** Transactions that a later return or void may point at. */
const transactionsRemembered = 40;
/** A clock that is set back over midnight sells into an older day again, which is then reported once more. */
const daysTallied = 3;

const mix = [
  ['sale', 0.88],
  ['return', 0.05],
  ['void', 0.02],
  ['abort', 0.03],
  ['training', 0.02],
] as const;

export const createTill = ({ site, workstationId, zone, currency, startedAt, random }: TillOptions): Till => {
  const number = numberByDay(zone, startedAt);
  const tallies = new Map<string, DayTally>();
  const recent: { transaction: Transaction; unreturned: Line[] }[] = [];

  const print = (at: number): Printed => ({
    site,
    workstationId,
    ...number(at),
    beginAt: instantText(zone, at - between(random, 8_000, 180_000)),
    endAt: instantText(zone, at),
    currency,
  });

  const remember = (event: TransactionEvent): TransactionEvent => {
    const unreturned = event.data.lines.filter((line) => line.lineType === 'SALE' && line.voided !== true);
    recent.push({ transaction: event.data, unreturned });
    if (recent.length > transactionsRemembered) recent.shift();
    return event;
  };

  /** No line is returned twice: it leaves the list. */
  const returnLine = (lineNumber: number): Line => {
    const known = recent.filter(({ unreturned }) => unreturned.length > 0);
    if (known.length === 0 || chance(random, 0.4)) return returnUnknown(random, lineNumber);
    const { transaction, unreturned } = oneOf(random, known);
    const [sold] = unreturned.splice(between(random, 0, unreturned.length - 1), 1) as [Line];
    return returnOf(random, lineNumber, transaction, sold);
  };

  const sell = (at: number): TransactionEvent => {
    let lines = sellLines(random);
    if (lines.length > 1 && chance(random, 0.04)) lines = withVoidedLine(random, lines);
    if (chance(random, 0.02)) lines = [...lines, returnLine(lines.length + 1)];
    return remember(closeTransaction(random, print(at), lines, false));
  };

  const takeBack = (at: number): TransactionEvent => {
    const first = returnLine(1);
    const exchange = chance(random, 0.3) ? sellLines(random, 2) : [];
    return closeTransaction(random, print(at), [first, ...exchange], false);
  };

  /** A transaction is voided soon after it was printed, once, and not when goods of it came back already. */
  const voidLast = (at: number): TransactionEvent => {
    const last = recent.at(-1);
    const sold = last?.transaction.lines.filter((line) => line.lineType === 'SALE' && line.voided !== true);
    if (last === undefined || last.unreturned.length !== sold?.length) return sell(at);
    recent.pop();
    return voidTransaction(print(at), last.transaction);
  };

  const nextTransaction = (at: number): TransactionEvent | AbortedEvent => {
    switch (weighted(random, mix)) {
      case 'sale':
        return sell(at);
      case 'return':
        return takeBack(at);
      case 'void':
        return voidLast(at);
      case 'abort':
        return abortTransaction(print(at), oneOf(random, ['CUSTOMER_LEFT', 'CASHIER_CANCELLED'] as const));
      case 'training':
        return closeTransaction(random, print(at), sellLines(random), true);
    }
  };

  const count = (transaction: TransactionEvent): void => {
    const { businessDay } = transaction.data;
    const tally = tallies.get(businessDay) ?? tallyDay({ site, workstationId, businessDay, currency });
    tallies.set(businessDay, tally);
    tally.add(transaction);
    if (tallies.size > daysTallied) tallies.delete([...tallies.keys()].sort()[0] as string);
  };

  const reportOfPast = (at: number): DayClosedEvent | undefined => {
    const today = localDay(zone, at);
    for (const [businessDay, tally] of tallies) {
      const report = businessDay < today ? tally.report(instantText(zone, at)) : undefined;
      if (report !== undefined) return report;
    }
    return undefined;
  };

  return {
    next: (at) => {
      const report = reportOfPast(at);
      if (report !== undefined) return report;
      const event = nextTransaction(at);
      if (event.type !== posTypes.aborted) count(event);
      return event;
    },
  };
};
