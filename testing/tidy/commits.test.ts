import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { checkout } from './tree.ts';

/** `git log --oneline` and web pages show a subject of this length whole. */
const subjectCharactersMax = 72;
/** The first commit under this rule follows this one. */
const since = '4976997305';

/** Older than this test; may only shrink. */
const known = ['ledger: the wiring fits a screen; maintenance and progress say what they do'];

const tooLong = (subjects: string): string[] =>
  subjects.split('\n').filter((subject) => [...subject].length > subjectCharactersMax);

test('only a subject that is too long is reported', () => {
  const longest = `area: ${'x'.repeat(subjectCharactersMax - 6)}`;
  expect(tooLong(`${longest}\n${longest}x\narea: …`)).toEqual([`${longest}x`]);
});

test(`the subject of a commit has at most ${subjectCharactersMax} characters`, ({ skip }) => {
  const { status, stdout } = spawnSync('git', ['log', '--no-merges', '--format=%s', `${since}..HEAD`], {
    cwd: checkout,
    encoding: 'utf8',
  });
  skip(status !== 0, `the clone lacks the history since ${since}`);
  expect(tooLong(stdout)).toEqual(known);
});
