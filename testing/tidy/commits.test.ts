import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { checkout } from './tree.ts';

/** A subject that `git log --oneline` and every web page show whole. */
const subjectCharactersMax = 72;
/** Subjects are short since then. */
const since = '4976997305';

const tooLong = (log: string): string[] =>
  log.split('\n').filter((line) => [...line.replace(/^\w+ /, '')].length > subjectCharactersMax);

test('a subject that is too long is found, and only that', () => {
  const longest = `area: ${'x'.repeat(subjectCharactersMax - 6)}`;
  expect(tooLong(`1a2b3c4 ${longest}\n2b3c4d5 ${longest}x\n3c4d5e6 area: …`)).toEqual([
    `2b3c4d5 ${longest}x`,
  ]);
});

test(`the subject of a commit has at most ${subjectCharactersMax} characters`, ({ skip }) => {
  const { status, stdout } = spawnSync('git', ['log', '--no-merges', '--format=%h %s', `${since}..HEAD`], {
    cwd: checkout,
    encoding: 'utf8',
  });
  skip(status !== 0, `a clone without its history up to ${since} says nothing about subjects`);
  expect(tooLong(stdout)).toEqual([]);
});
