import { expect, test } from 'vitest';
import { cursorOf, keyOf } from './cursor.ts';

test('a cursor yields the key it was made from', () => {
  expect(keyOf(cursorOf(['store-0001', 7]), ['string', 'number'])).toEqual(['store-0001', 7]);
});

test.each([
  '',
  'nonsense',
  '%%%',
  cursorOf([1]),
  cursorOf(['a', 'b']),
  cursorOf(['a', 1, 2]),
  cursorOf(['a', 1.5]),
  cursorOf(['a', 1e300]),
  cursorOf(['\0', 1]),
])('text that is no cursor of the list is refused: %j', (text) => {
  expect(keyOf(text, ['string', 'number'])).toBe(undefined);
});
