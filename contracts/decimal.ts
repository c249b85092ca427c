/**
 * Decimal strings as fixed-scale integers. There is no floating point between a till and the books: quantities are in
 * thousandths, unit prices in hundred-thousandths, amounts in minor units of their currency.
 */

const minus = 45;

export const quantityScale = 3;
export const unitPriceScale = 5;

export const quantityPattern = /^-?\d{1,9}(?:\.\d{1,3})?$/;
export const unitPricePattern = /^-?\d{1,9}(?:\.\d{1,5})?$/;

/** `"-1.5"` at scale 3 is -1500. The text must match one of the patterns above, which keeps the result far below 2^53. */
export const scaled = (text: string, scale: number): number => {
  const negative = text.charCodeAt(0) === minus;
  let digits = 0;
  let places = 0;
  let afterPoint = false;
  for (let i = negative ? 1 : 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      afterPoint = true;
      continue;
    }
    digits = digits * 10 + code - 48;
    if (afterPoint) places++;
  }
  const magnitude = digits * 10 ** (scale - places);
  return negative && magnitude !== 0 ? -magnitude : magnitude;
};

/** Of a decimal string; `-0` counts as negative. */
export const isNotNegative = (text: string): boolean => text.charCodeAt(0) !== minus;

export const quantityOf = (text: string): number => scaled(text, quantityScale);

/** The inverse, for people and exports: -1500 at scale 3 is `"-1.500"`. */
export const decimalText = (value: number | bigint, scale: number): string => {
  const negative = value < 0;
  const digits = (negative ? -value : value).toString().padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return negative ? `-${text}` : text;
};
