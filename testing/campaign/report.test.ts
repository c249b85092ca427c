import { expect, test } from 'vitest';
import { type Result, recoveryTable, reportText } from './report.ts';

const result: Result = {
  ...{
    seed: 42,
    minutes: 10,
    machine: { node: 'v24' },
    skipped: [],
    events: 1_234,
    audits: 2,
    runningChecks: 9,
    restarts: 3,
  },
  ...{ growth: [], databaseBytes: 0, findings: [], repeat: 'npm run campaign -- --minutes 10 --seed 42' },
  strikes: [
    { names: ['hub-killed'], detail: 'hub-0', recoveryMs: 4_000 },
    { names: ['hub-killed'], detail: 'hub-1', recoveryMs: 2_000 },
    { names: ['hub-killed'], detail: 'hub-1', recoveryMs: undefined },
    { names: ['hub-killed', 'poison'], detail: 'hub-1; store-0001', recoveryMs: 9_000 },
  ],
};

test('recovery is shown by kind of fault, pairs by themselves, and what never recovered is named', () => {
  expect(recoveryTable(result.strikes).slice(1)).toEqual([
    'hub-killed                  3     2.0     4.0     4.0  1 never',
    'two at once                 1     9.0     9.0     9.0',
  ]);
});

test('a report of a campaign that failed says so and how to repeat it, one that held says neither', () => {
  const failed = reportText({ ...result, findings: ['2 accepted events are not in the books'] });
  expect(failed).toContain('VERDICT: FAILED\n  2 accepted events are not in the books');
  expect(failed).toContain('npm run campaign -- --minutes 10 --seed 42');
  expect(reportText(result)).toContain('VERDICT: exact.');
  expect(reportText(result)).not.toMatch(/FAILED|Repeat/);
});
