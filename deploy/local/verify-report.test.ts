import type { Survey } from '@branchline/simulators/online-retail/survey.ts';
import type { VerifyResult } from '@branchline/simulators/online-retail/verify.ts';
import { expect, it } from 'vitest';
import { readArguments, type VerifyArguments } from './verify-options.ts';
import { describe as descriptionOf, jsonText, verdict } from './verify-report.ts';

const args = readArguments(['--data', '/data']) as VerifyArguments;
const none = { lines: 0, quantity: 0n, value: 0n };
const surveyWith = (change: Partial<Survey['expected']>): Survey => ({
  expected: { days: new Map(), rounded: { lines: 0, value: 0n }, adjustments: none, ...change },
  ...{ events: 5, transactions: 3, movements: 1, dayReports: 1, firstAt: 0, lastAt: 0 },
  largestEventBytes: 1_000,
});
const exact = surveyWith({});
const ruled = surveyWith({
  rounded: { lines: 4, value: -400n },
  adjustments: { lines: 1, quantity: 1_000n, value: -1_106_206_000n },
});
const total = { lines: 1, invoices: 1, quantity: 1_000n, value: 100_000n };
const result: VerifyResult = {
  reconciliation: { days: [], total: { expected: total, found: total }, equal: true },
  ...{ disagreements: [], equal: true, stalled: false, repeated: 0 },
  progress: {
    total: 5,
    fed: 5,
    accepted: 5,
    recorded: 5,
    applied: 5,
    elapsedMs: 1_500,
  } as VerifyResult['progress'],
};

it('the effect of rounding and adjustments is printed, and nothing if there is none', () => {
  expect(descriptionOf(exact, args).split('\n')).toHaveLength(2);
  expect(descriptionOf(ruled, args).split('\n').slice(2)).toEqual([
    '4 lines not in whole pence: each is rounded half away from zero, -0.004 in total.',
    '1 line of adjustments, which are not goods: their value of -11062.06 counts, their quantity of 1 does not.',
  ]);
});

it('the verdict says whether lines were rounded, and the JSON by how much', () => {
  expect(verdict(result, exact, '/logs')).toBe('EQUAL: the books hold exactly what the files hold. (1.5 s)');
  expect(verdict(result, ruled, '/logs')).toBe(
    'EQUAL: the books hold exactly what the files hold, rounded to whole pence. (1.5 s)',
  );
  expect(verdict({ ...result, equal: false }, ruled, '/logs')).toMatch(/^DIFFERENT: /);
  expect(JSON.parse(jsonText(result, ruled, args))).toMatchObject({
    equal: true,
    rounded: { lines: 4, value: '-0.004' },
    adjustments: { lines: 1, quantity: 1, value: '-11062.06' },
  });
});
