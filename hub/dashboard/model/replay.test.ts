import { expect, test } from 'vitest';
import type { Replay } from '../../reports/contract.ts';
import { replayRequest, replayShare, replayText } from './replay.ts';

const typed = { from: '2026-11-23T12:00', to: '2026-11-23T13:00', first: '3', last: '9', epoch: '' };
const epoch = '3b0d3a5e-0d0c-4f5c-9a3a-2f1e0b7c9d11';

test('times are sent as instants', () => {
  expect(replayRequest('store-0001', 'pos', 'accepted', typed)).toEqual({
    site: 'store-0001',
    stream: 'pos',
    accepted: [new Date('2026-11-23T12:00').toISOString(), new Date('2026-11-23T13:00').toISOString()],
  });
});

test('seqs are sent with their epoch', () => {
  expect(replayRequest('store-0001', 'stock', 'seqs', { ...typed, epoch })).toEqual({
    site: 'store-0001',
    stream: 'stock',
    epoch,
    seqs: [3, 9],
  });
});

test.each([
  ['accepted', { from: '' }, 'Enter both times.'],
  ['accepted', { from: '2026-11-23T14:00' }, 'The first time is after the second.'],
  ['seqs', { epoch, last: '2' }, 'Enter the first and the last seq'],
  ['seqs', { epoch, first: '0' }, 'Enter the first and the last seq'],
  ['seqs', { epoch: 'newest' }, 'Seqs belong to an epoch'],
] as const)('by %s with %o the form says what is wrong', (by, change, words) => {
  expect(replayRequest('store-0001', 'pos', by, { ...typed, ...change })).toContain(words);
});

const replay = (fields: Partial<Replay>): Replay => ({
  id: 'x',
  site: 'store-0001',
  agent: 'edge-1',
  stream: 'pos',
  epoch: null,
  seqs: null,
  accepted: null,
  requestedAt: '2026-11-23T12:00:00.000Z',
  state: 'running',
  events: 10,
  left: 4,
  newInBooks: null,
  ...fields,
});

test('progress is the share of the events that were sent, and unknown before the agent has answered', () => {
  expect(replayShare(replay({}))).toBe(0.6);
  expect(replayShare(replay({ state: 'sent', events: null, left: null }))).toBeUndefined();
  expect(replayShare(replay({ state: 'done', events: 0, left: 0 }))).toBe(1);
  expect(replayText(replay({}))).toContain('6 of 10 events');
});

test('the final text says what is new in the books', () => {
  expect(replayText(replay({ state: 'done', left: 0, newInBooks: 0 }))).toContain(
    '0 new: nothing was missing',
  );
  expect(replayText(replay({ state: 'done', left: 0, newInBooks: 3 }))).toContain('3 new');
});
