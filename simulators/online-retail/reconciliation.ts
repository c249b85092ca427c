import {
  type Figures,
  type FiguresByDay,
  figuresJson,
  isNothing,
  minus,
  nothing,
  quantityPlaces,
  shown,
  totalOf,
  valuePlaces,
} from './figures.ts';

/** Files against books, per day and in total. */
export type Reconciliation = {
  days: { day: string; expected: Figures; found: Figures }[];
  total: { expected: Figures; found: Figures };
  equal: boolean;
};

export const reconcile = (expected: FiguresByDay, found: FiguresByDay): Reconciliation => {
  const names = [...new Set([...expected.keys(), ...found.keys()])].sort();
  const days = names.map((day) => ({
    day,
    expected: expected.get(day) ?? nothing,
    found: found.get(day) ?? nothing,
  }));
  return {
    days,
    total: { expected: totalOf(expected), found: totalOf(found) },
    equal: days.every((day) => isNothing(minus(day.expected, day.found))),
  };
};

export const reconciliationJson = ({ days, total, equal }: Reconciliation) => ({
  equal,
  days: days.map(({ day, expected, found }) => ({
    day,
    expected: figuresJson(expected),
    found: figuresJson(found),
  })),
  total: { expected: figuresJson(total.expected), found: figuresJson(total.found) },
});

const measures = [
  ['lines', 8, (figures: Figures) => String(figures.lines)],
  ['invoices', 8, (figures: Figures) => String(figures.invoices)],
  ['quantity', 9, (figures: Figures) => shown(figures.quantity, quantityPlaces, 0)],
  ['value', 12, (figures: Figures) => shown(figures.value, valuePlaces, 2)],
] as const;

/** For people: expected, found and difference of each measure. */
export const reconciliationTable = ({ days, total }: Reconciliation): string => {
  const row = (name: string, cells: (width: number, i: number) => [string, string, string]) =>
    `${name.padEnd(10)} ${measures
      .map(([, width], i) =>
        cells(width, i)
          .map((cell) => cell.padStart(width))
          .join(' '),
      )
      .join(' │ ')}`;
  const figuresRow = (name: string, expected: Figures, found: Figures) =>
    row(name, (_, i) => {
      const [, , text] = measures[i] as (typeof measures)[number];
      return [text(expected), text(found), text(minus(found, expected))];
    });
  const title = `${' '.repeat(10)} ${measures.map(([name, width]) => name.padEnd(3 * width + 2)).join(' │ ')}`;
  const heads = row('day', () => ['expected', 'found', 'diff']);
  const rule = '─'.repeat(heads.length);
  return [
    title,
    heads,
    rule,
    ...days.map(({ day, expected, found }) => figuresRow(day, expected, found)),
    rule,
    figuresRow('total', total.expected, total.found),
  ].join('\n');
};
