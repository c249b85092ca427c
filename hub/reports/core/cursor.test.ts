import { expect, test } from 'vitest';
import { cursorOf, keyOf } from './cursor.ts';

test('a cursor yields the key it was made from', () => {
  expect(keyOf(cursorOf('/stock', ['store-0001', 7]), '/stock', ['string', 'number'])).toEqual([
    'store-0001',
    7,
  ]);
});

test.each([
  '',
  'nonsense',
  '%%%',
  cursorOf('/stock', [1]),
  cursorOf('/stock', ['a', 'b']),
  cursorOf('/stock', ['a', 1, 2]),
  cursorOf('/stock', ['a', 1.5]),
  cursorOf('/stock', ['a', 1e300]),
  cursorOf('/stock', ['\0', 1]),
  cursorOf('/fleet', ['a', 1]),
])('text that is no cursor of the list is refused: %j', (text) => {
  expect(keyOf(text, '/stock', ['string', 'number'])).toBe(undefined);
});
