import { expect, test } from 'vitest';
import { walk } from './grid-walk.ts';

/**
 * 0 1 2 3
 * 4 5 6 7
 * 8 9
 */
const grid = { many: 10, columns: 4, rowsOnPage: 2 };

test.each([
  ['ArrowRight', 0, 1],
  ['ArrowRight', 3, 4],
  ['ArrowRight', 9, 9],
  ['ArrowLeft', 4, 3],
  ['ArrowLeft', 0, 0],
  ['ArrowDown', 1, 5],
  ['ArrowDown', 6, 6],
  ['ArrowUp', 5, 1],
  ['ArrowUp', 2, 2],
  ['PageDown', 1, 9],
  ['PageUp', 9, 1],
  ['Home', 6, 4],
  ['End', 4, 7],
  ['End', 8, 9],
])('%s leads from cell %i to cell %i', (key, from, to) => {
  expect(walk(key, from, grid)).toBe(to);
});

test('other keys are ignored, and so are all keys in an empty grid', () => {
  expect(walk('a', 0, grid)).toBeUndefined();
  expect(walk('ArrowDown', 0, { ...grid, many: 0 })).toBeUndefined();
});
