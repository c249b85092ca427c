import { expect, it } from 'vitest';
import { dueMs, parseSpeed } from './pace.ts';
import { progressLine, remainingOf, shareDone } from './progress.ts';

it('an event counts half when an agent has it and fully when it is in the books', () => {
  expect(shareDone({ total: 100, fed: 0, applied: 0 })).toBe(0);
  expect(shareDone({ total: 100, fed: 100, applied: 0 })).toBe(0.5);
  expect(shareDone({ total: 100, fed: 100, applied: 100 })).toBe(1);
  expect(shareDone({ total: 100, fed: 100, applied: 130 })).toBe(1);
  expect(shareDone({ total: 0, fed: 0, applied: 0 })).toBe(1);
});

it('the remaining time follows the speed so far, and is never shorter than the pace allows', () => {
  expect(remainingOf(0, 1_000, 0)).toBeUndefined();
  expect(remainingOf(0.25, 1_000, 0)).toBe(3_000);
  expect(remainingOf(0.5, 1_000, 60_000)).toBe(59_000);
  expect(remainingOf(1, 1_000, 0)).toBe(0);
});

it('a speed is max or a factor, and a factor shortens the time between events', () => {
  expect(parseSpeed('max')).toBe('max');
  expect(parseSpeed('3600')).toBe(3600);
  expect(parseSpeed('3600×')).toBe(3600);
  expect(parseSpeed('0.5x')).toBe(0.5);
  for (const text of ['0', '-1', 'fast', '', '1e3', '10 x']) expect(parseSpeed(text)).toBeUndefined();
  expect(dueMs(3600, 0, 3_600_000)).toBe(1_000);
  expect(dueMs('max', 0, 3_600_000)).toBe(0);
});

it('the line shows percent, events, their stages and the remaining time', () => {
  const progress = {
    total: 1_458,
    fed: 729,
    accepted: 729,
    recorded: 700,
    applied: 0,
    elapsedMs: 1,
    remainingMs: 61_000,
  };
  expect(progressLine(progress)).toBe(
    ' 25 %  events 729 of 1,458  accepted 729  recorded 700  applied 0  ETA 1 min 1 s',
  );
});
