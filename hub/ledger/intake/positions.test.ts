import { createLog } from '@branchline/kernel/log.ts';
import { expect, test } from 'vitest';
import { newCounters } from './counters.ts';
import { createPositions } from './positions.ts';

const pos = { topic: 'pos', partition: 0 };

/** The position that the books have. */
const withBooks = async (books: { next: number }) => {
  const positions = createPositions({
    openPosition: async () => ({ next: books.next, incarnation: 'same' }),
    counters: newCounters(),
    log: createLog('test', 'silent'),
  });
  await positions.open(pos);
  return positions;
};

test('K1 a partition without new records is read again from where the books are when they went back', async () => {
  const books = { next: 500 };
  const positions = await withBooks(books);
  expect(positions.isBeyond({ ...pos, ...books })).toBe(false);
  books.next = 20;
  expect(positions.isBeyond({ ...pos, ...books })).toBe(false);
  expect(positions.isBeyond({ ...pos, ...books })).toBe(true);
  expect(await positions.recheck(pos)).toBe(20);
  expect(positions.isBeyond({ ...pos, ...books })).toBe(false);
});

test('a slice between its commit and the note of it is no sign that the books went back', async () => {
  const books = { next: 500 };
  const positions = await withBooks(books);
  for (let next = 500; next < 600; next += 20) {
    positions.moveTo(pos, next + 20);
    expect(positions.isBeyond({ ...pos, next })).toBe(false);
  }
  expect(positions.isBeyond({ topic: 'pos', partition: 7, next: 3 })).toBe(false);
});
