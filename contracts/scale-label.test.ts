import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasCheckDigit } from './event.ts';
import { isScaleLabel, itemOnLabel, readScaleLabels, type ScaleLabel } from './scale-label.ts';

const labelsOf = (text: string): ScaleLabel[] => {
  const labels = readScaleLabels(text);
  if (typeof labels === 'string') throw new Error(labels);
  return labels;
};
const digits = (count: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: count, maxLength: count }).map((one) => one.join(''));
/** A GTIN of 14 digits from the 12 digits of a label before its check digit. */
const gtinOf = (text: string): string =>
  Array.from({ length: 10 }, (_, digit) => `0${text}${digit}`).find(hasCheckDigit) as string;

test('the item of a label does not depend on its weight or price', () => {
  const labels = labelsOf('2[0-4] IIIII WWWWW C; 2[5-8] IIIIII X PPP C; 02 IIIII X PPPP C');
  const prefixes = fc.constantFrom('20', '21', '24');
  fc.assert(
    fc.property(prefixes, digits(5), digits(5), digits(5), (prefix, item, weight, other) => {
      expect(itemOnLabel(gtinOf(`${prefix}${item}${weight}`), labels)).toBe(item);
      expect(itemOnLabel(gtinOf(`${prefix}${item}${other}`), labels)).toBe(item);
    }),
  );
  fc.assert(
    fc.property(digits(6), digits(4), (item, price) => {
      expect(itemOnLabel(gtinOf(`26${item}${price}`), labels)).toBe(item);
    }),
  );
  // A UPC-A label, 12 digits, has another zero in front.
  fc.assert(
    fc.property(digits(5), digits(5), (item, price) => {
      expect(itemOnLabel(gtinOf(`02${item}${price}`), labels)).toBe(item);
    }),
  );
});

test('every number with prefix 02 or 20 to 29 is a scale label, and no other', () => {
  fc.assert(
    fc.property(digits(13), (text) => {
      const gtin = `0${text}`;
      expect(isScaleLabel(gtin)).toBe(/^(?:02|2\d)/.test(text));
      expect(isScaleLabel(`1${text}`)).toBe(false);
    }),
  );
  for (const prefix of ['02', '20', '29']) expect(isScaleLabel(gtinOf(`${prefix}1234567890`))).toBe(true);
});

test('a label that fits no pattern has no item, and the first pattern that fits decides', () => {
  const gtin = gtinOf('281234512345');
  expect(itemOnLabel(gtin, labelsOf('2[0-7] IIIII WWWWW C'))).toBeUndefined();
  expect(itemOnLabel(gtin, [])).toBeUndefined();
  expect(itemOnLabel(gtin, labelsOf('28 IIII WWWWWW C;2[0-9] IIIII WWWWW C'))).toBe('1234');
  // A number of the retailer's own, without a weight.
  expect(itemOnLabel(gtin, labelsOf('28 IIIIIIIIII C'))).toBe('1234512345');
});

describe('a pattern', () => {
  test.each([
    ['2[0-9] IIIII WWWWW', 'describes 13 digits, this one 12'],
    ['2[0-9] IIIII WWWWW CC', 'describes 13 digits, this one 14'],
    ['2[0-9] IIIII C WWWWW', 'C, the check digit, must be the last symbol'],
    ['2[9-0] IIIII WWWWW C', 'a range must begin with its lower digit'],
    ['2[0-9] II WW III WWW C', 'must be consecutive'],
    ['2[0-9] WWWWWWWWWW C', 'must be consecutive'],
    ['2. IIIII WWWWW C', 'only digits, ranges such as [0-9], and the letters'],
    ['20 IIIII WWWWW C;21 iiiii WWWWW C', '21 iiiii WWWWW C: only digits'],
  ])('such as %s is refused with what is wrong', (text, why) => {
    expect(readScaleLabels(text)).toContain(why);
  });
});
