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
 * One simulated till. The same options and the same instants give the same transactions, byte for byte: all chance comes
 * from `random`, all time from the caller.
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
   * What the till prints next, at `at` (milliseconds since 1970): a transaction, or first the day-end report of a day that
   * is over. A till that restarts within a day has forgotten what it sold before, so its report of that day lacks it, and
   * the books report the difference.
   */
  next(at: number): TransactionEvent | AbortedEvent | DayClosedEvent;
};

/** Transactions that a later return or void may refer to. */
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

/** A sale, and the lines of it that have not been returned. */
type Sold = { transaction: Transaction; unreturned: Line[] };

const soldLines = ({ lines }: Transaction): Line[] =>
  lines.filter((line) => line.lineType === 'SALE' && line.voided !== true);

/** The latest sales. No line is returned twice, and no sale is voided after a return. */
const createMemory = (random: Random) => {
  const recent: Sold[] = [];
  return {
    remember: (event: TransactionEvent): TransactionEvent => {
      recent.push({ transaction: event.data, unreturned: soldLines(event.data) });
      if (recent.length > transactionsRemembered) recent.shift();
      return event;
    },
    returnLine: (lineNumber: number): Line => {
      const known = recent.filter(({ unreturned }) => unreturned.length > 0);
      if (known.length === 0 || chance(random, 0.4)) return returnUnknown(random, lineNumber);
      const { transaction, unreturned } = oneOf(random, known);
      const [sold] = unreturned.splice(between(random, 0, unreturned.length - 1), 1) as [Line];
      return returnOf(random, lineNumber, transaction, sold);
    },
    /** The last sale, if nothing of it came back; it is forgotten. */
    takeLast: (): Transaction | undefined => {
      const last = recent.at(-1);
      if (last === undefined || last.unreturned.length !== soldLines(last.transaction).length)
        return undefined;
      recent.pop();
      return last.transaction;
    },
  };
};

const createTallies = ({ site, workstationId, zone, currency }: TillOptions) => {
  const tallies = new Map<string, DayTally>();
  return {
    count: (transaction: TransactionEvent): void => {
      const { businessDay } = transaction.data;
      const tally = tallies.get(businessDay) ?? tallyDay({ site, workstationId, businessDay, currency });
      tallies.set(businessDay, tally);
      tally.add(transaction);
      if (tallies.size > daysTallied) tallies.delete([...tallies.keys()].sort()[0] as string);
    },
    reportOfPast: (at: number): DayClosedEvent | undefined => {
      const today = localDay(zone, at);
      for (const [businessDay, tally] of tallies) {
        const report = businessDay < today ? tally.report(instantText(zone, at)) : undefined;
        if (report !== undefined) return report;
      }
      return undefined;
    },
  };
};

export const createTill = (options: TillOptions): Till => {
  const { site, workstationId, zone, currency, startedAt, random } = options;
  const number = numberByDay(zone, startedAt);
  const memory = createMemory(random);
  const tallies = createTallies(options);

  const print = (at: number): Printed => ({
    site,
    workstationId,
    ...number(at),
    beginAt: instantText(zone, at - between(random, 8_000, 180_000)),
    endAt: instantText(zone, at),
    currency,
  });

  const sell = (at: number): TransactionEvent => {
    let lines = sellLines(random);
    if (lines.length > 1 && chance(random, 0.04)) lines = withVoidedLine(random, lines);
    if (chance(random, 0.02)) lines = [...lines, memory.returnLine(lines.length + 1)];
    return memory.remember(closeTransaction(random, print(at), lines, false));
  };

  const takeBack = (at: number): TransactionEvent => {
    const first = memory.returnLine(1);
    const exchange = chance(random, 0.3) ? sellLines(random, 2) : [];
    return closeTransaction(random, print(at), [first, ...exchange], false);
  };

  const voidLast = (at: number): TransactionEvent => {
    const last = memory.takeLast();
    return last === undefined ? sell(at) : voidTransaction(print(at), last);
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

  return {
    next: (at) => {
      const report = tallies.reportOfPast(at);
      if (report !== undefined) return report;
      const event = nextTransaction(at);
      if (event.type !== posTypes.aborted) tallies.count(event);
      return event;
    },
  };
};
