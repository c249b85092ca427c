import { expect, test } from 'vitest';
import { cursorOf, keyOf } from './cursor.ts';

test('a cursor gives back the key that it was made of', () => {
  expect(keyOf(cursorOf(['store-0001', 7]), ['string', 'number'])).toEqual(['store-0001', 7]);
});

test.each(['', 'nonsense', '%%%', cursorOf([1]), cursorOf(['a', 'b']), cursorOf(['a', 1, 2])])(
  'what is no cursor of the list is refused: %j',
  (text) => {
    expect(keyOf(text, ['string', 'number'])).toBe(undefined);
  },
);
