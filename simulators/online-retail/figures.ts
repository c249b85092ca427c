/**
 * The reconciled figures, as whole numbers: there is one exact answer, and neither side rounds. Quantities are thousandths,
 * values hundred-thousandths of a pound.
 */
export type Figures = { lines: number; invoices: number; quantity: bigint; value: bigint };
export type FiguresByDay = ReadonlyMap<string, Figures>;

export const quantityPlaces = 3;
export const valuePlaces = 5;

export const nothing: Figures = { lines: 0, invoices: 0, quantity: 0n, value: 0n };

export const add = (a: Figures, b: Figures): Figures => ({
  lines: a.lines + b.lines,
  invoices: a.invoices + b.invoices,
  quantity: a.quantity + b.quantity,
  value: a.value + b.value,
});

export const minus = (a: Figures, b: Figures): Figures => ({
  lines: a.lines - b.lines,
  invoices: a.invoices - b.invoices,
  quantity: a.quantity - b.quantity,
  value: a.value - b.value,
});

export const isNothing = (figures: Figures): boolean =>
  figures.lines === 0 && figures.invoices === 0 && figures.quantity === 0n && figures.value === 0n;

export const totalOf = (days: FiguresByDay): Figures => [...days.values()].reduce(add, nothing);

/** `text` as an integer with the given number of decimal places; throws when it has more. */
export const exactly = (text: string, places: number): bigint => {
  const m = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const fraction = m?.[3] ?? '';
  if (m === null || fraction.length > places)
    throw new RangeError(`${text} is not a number of ${places} places`);
  const magnitude = BigInt(`${m[2]}${fraction.padEnd(places, '0')}`);
  return m[1] === '-' ? -magnitude : magnitude;
};

/** The shortest exact decimal text with at least `least` places. */
export const shown = (amount: bigint, places: number, least: number): string => {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(places + 1, '0');
  const whole = digits.slice(0, -places);
  const fraction = digits.slice(-places).replace(/0+$/, '').padEnd(least, '0');
  return `${amount < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
};

/** For programs: counts as numbers, the value as a decimal string. */
export const figuresJson = (figures: Figures) => ({
  lines: figures.lines,
  invoices: figures.invoices,
  quantity: Number(shown(figures.quantity, quantityPlaces, 0)),
  value: shown(figures.value, valuePlaces, 2),
});
