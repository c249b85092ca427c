import type { SalesInterval } from '../../reports/contract.ts';

/** Last midnight before `now` in the viewer's time zone, in ms. */
export const localMidnight = (now: number): number => new Date(now).setHours(0, 0, 0, 0);

/** No site that should have been open may still add anything. */
export const isComplete = ({ completeness }: Pick<SalesInterval, 'completeness'>): boolean =>
  completeness.complete >= completeness.expected;

/** Describes the drawn intervals in words: whatever is hatched is named, so that text and picture agree. `now` in ms. */
export const completenessText = (
  drawn: readonly Pick<SalesInterval, 'end' | 'completeness'>[],
  now: number,
): string => {
  const open = drawn.filter((one) => !isComplete(one));
  const isMissing = ({ completeness: { expected, complete, unknown } }: (typeof drawn)[number]) =>
    expected > complete + unknown;
  const isRunning = (one: (typeof drawn)[number]) => Date.parse(one.end) > now;
  const missing = open.filter((one) => isMissing(one) && !isRunning(one)).length;
  const unknown = open.filter(({ completeness }) => completeness.unknown > 0).length;
  if (open.length === 0) return 'all complete';
  const parts = [
    ...(missing > 0 ? [`${missing} incomplete ${missing === 1 ? 'interval' : 'intervals'}`] : []),
    ...(unknown > 0 ? [`${unknown} ${unknown === 1 ? 'interval' : 'intervals'} partly unknown`] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'complete except for the running interval';
};

/** ISO 4217's code for no currency, which the API uses for an interval without sales. */
const noCurrency = 'XXX';

export const currenciesOf = (intervals: readonly SalesInterval[]): string[] =>
  [...new Set(intervals.map((one) => one.currency))].filter((name) => name !== noCurrency).sort();

/** The currency with the most transactions. */
export const mainCurrency = (intervals: readonly SalesInterval[]): string | undefined => {
  const transactions = new Map<string, number>();
  for (const one of intervals)
    transactions.set(one.currency, (transactions.get(one.currency) ?? 0) + one.transactions);
  return [...transactions].sort((a, b) => b[1] - a[1])[0]?.[0];
};

const hourMs = 3_600_000;

/** Skips the night: begins with the hour of the first sale. */
export const fromFirstSale = (intervals: readonly SalesInterval[]): SalesInterval[] => {
  const first = intervals.find(({ transactions, lines }) => transactions > 0 || lines !== 0);
  if (first === undefined) return [];
  const from = Math.floor(Date.parse(first.start) / hourMs) * hourMs;
  return intervals.filter(({ start }) => Date.parse(start) >= from);
};

/**
 * Every interval of `range` in order, with `undefined` where nothing was sold, so that a chart shows the gap.
 */
export const withPauses = (
  sold: readonly SalesInterval[],
  range: readonly Pick<SalesInterval, 'start' | 'end'>[] = sold,
): { start: number; end: number; sold: SalesInterval | undefined }[] => {
  const [first, last] = [range[0], range.at(-1)];
  if (first === undefined || last === undefined || sold.length === 0) return [];
  const length = Date.parse(first.end) - Date.parse(first.start);
  const byStart = new Map(sold.map((one) => [Date.parse(one.start), one]));
  const all = [];
  for (let start = Date.parse(first.start); start <= Date.parse(last.start); start += length)
    all.push({ start, end: start + length, sold: byStart.get(start) });
  return all;
};
