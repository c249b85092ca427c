import { expect, test } from 'vitest';
import { addReport, emptyTally, lastLine } from './tally.ts';

const file = (status: string, ...tests: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((status, i) => ({ fullName: ` test ${i}`, status })),
});

test('passed, failed and skipped tests are counted over several runs', () => {
  const tally = emptyTally();
  addReport(tally, { testResults: [file('passed', 'passed', 'passed')] }, true);
  expect(lastLine(tally)).toBe('2 passed, 0 failed');
  addReport(tally, { testResults: [file('failed', 'passed', 'failed', 'skipped', 'todo')] }, false);
  expect(lastLine(tally)).toBe('3 passed, 1 failed, 2 skipped');
  expect(tally.skipped).toEqual(['test 2', 'test 3']);
});

test.each([
  ['a file that cannot be loaded', { testResults: [file('failed')] }],
  ['an error outside every test', { testResults: [file('passed', 'passed')] }],
  ['a report that was never written', undefined],
])('%s is a failure too', (_, report) => {
  const tally = emptyTally();
  addReport(tally, report, false);
  expect(tally.failed).toBe(1);
});
