import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { checkout } from './tree.ts';

/** A subject that `git log --oneline` and every web page show whole. */
const subjectCharactersMax = 72;
/** Subjects are short since then. */
const since = '4976997305';

/** Merged before this test; none is added. */
const known = ['ledger: the wiring fits a screen; maintenance and progress say what they do'];

const tooLong = (subjects: string): string[] =>
  subjects.split('\n').filter((subject) => [...subject].length > subjectCharactersMax);

test('a subject that is too long is found, and only that', () => {
  const longest = `area: ${'x'.repeat(subjectCharactersMax - 6)}`;
  expect(tooLong(`${longest}\n${longest}x\narea: …`)).toEqual([`${longest}x`]);
});

test(`the subject of a commit has at most ${subjectCharactersMax} characters`, ({ skip }) => {
  const { status, stdout } = spawnSync('git', ['log', '--no-merges', '--format=%s', `${since}..HEAD`], {
    cwd: checkout,
    encoding: 'utf8',
  });
  skip(status !== 0, `a clone without its history up to ${since} says nothing about subjects`);
  expect(tooLong(stdout)).toEqual(known);
});
