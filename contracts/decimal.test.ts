import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decimalText, quantityOf, quantityPattern, scaled, unitPricePattern } from './decimal.ts';

test('a decimal string and its scaled integer convert into each other', () => {
  fc.assert(
    fc.property(fc.integer({ min: -999_999_999_999, max: 999_999_999_999 }), (value) => {
      const text = decimalText(value, 3);
      expect(text).toMatch(quantityPattern);
      expect(quantityOf(text)).toBe(value === 0 ? 0 : value);
    }),
  );
});

test.each([
  ['6', 3, 6000],
  ['-1.5', 3, -1500],
  ['0.001', 3, 1],
  ['-0', 3, 0],
  ['-0.000', 3, 0],
  ['2.55', 5, 255_000],
])('%s at scale %i is %i', (text, scale, value) => {
  expect(scaled(text, scale)).toBe(value);
});

test.each(['', 'NaN', 'Infinity', '1e3', '1.', '.5', '+1', ' 1', '1.0000', '1,5', '0x10', '1234567890'])(
  'bad input B6: %j is no quantity',
  (text) => {
    expect(quantityPattern.test(text)).toBe(false);
  },
);
test.each(['1.234567', '--1', '1 '])('bad input B5: %j is no unit price', (text) => {
  expect(unitPricePattern.test(text)).toBe(false);
});
