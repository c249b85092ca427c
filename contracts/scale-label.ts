/**
 * Labels printed by scales: numbers with prefix 02 or 20 to 29 that contain an item's number and a weight or a price. GS1
 * leaves the layout to each country and retailer, so a pattern must say where the item's number is:
 *
 *     2[0-9] IIIII WWWWW C
 *
 * Thirteen digits as on the label: a digit stands for itself, `[0-9]` for a range, I for a digit of the item's number, W for
 * one of the weight, P for one of the price, X for any digit, C for the check digit. A UPC-A number is preceded by a zero.
 * Source: GS1 General Specifications § 2.1.12 (variable measure items in restricted distribution).
 */
export type ScaleLabel = RegExp;

const digitsOnLabel = 13;
const symbolPattern = /\d|\[\d-\d\]|[IWPXC]/g;

/** The pattern, or what is wrong with it. */
const readPattern = (text: string): ScaleLabel | string => {
  const compact = text.replaceAll(' ', '');
  const symbols = compact.match(symbolPattern) ?? [];
  if (symbols.join('') !== compact)
    return 'only digits, ranges such as [0-9], and the letters I W P X C are allowed';
  if (symbols.length !== digitsOnLabel)
    return `a pattern describes ${digitsOnLabel} digits, this one ${symbols.length}`;
  if (symbols.indexOf('C') !== digitsOnLabel - 1)
    return 'C, the check digit, must be the last symbol and occur only there';
  if (!/^[^I]*I+[^I]*$/.test(compact)) return "the digits I of the item's number must be consecutive";
  if (symbols.some((symbol) => symbol.length > 1 && (symbol[1] as string) > (symbol[3] as string)))
    return 'a range must begin with its lower digit';
  const source = compact.replace(/I+/, ({ length }) => `(\\d{${length}})`).replace(/[WPXC]/g, '\\d');
  return new RegExp(`^0${source}$`);
};

/** Patterns separated by semicolons, or what is wrong with the first unreadable one. */
export const readScaleLabels = (text: string): ScaleLabel[] | string => {
  const labels: ScaleLabel[] = [];
  for (const part of text.split(';').filter((one) => one.trim() !== '')) {
    const label = readPattern(part);
    if (typeof label === 'string') return `${part.trim()}: ${label}`;
    labels.push(label);
  }
  return labels;
};

/** `gtin` has 14 digits: a zero precedes the 13 of a label. */
export const isScaleLabel = (gtin: string): boolean => gtin.startsWith('02') || gtin.startsWith('002');

/** The item's number on a label, by the first pattern that matches; undefined if none does. */
export const itemOnLabel = (gtin: string, labels: readonly ScaleLabel[]): string | undefined => {
  for (const label of labels) {
    const found = label.exec(gtin)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
};
