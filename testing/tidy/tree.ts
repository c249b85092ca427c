import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What the tidy tests read: every file that is in the repository or about to be. */
export const checkout = resolve(import.meta.dirname, '../..');

export const files: readonly string[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '-z'],
  { cwd: checkout, encoding: 'utf8' },
)
  .split('\0')
  // A deleted file stays in the index until the next commit.
  .filter((path) => path !== '' && existsSync(join(checkout, path)));

export const folders: ReadonlySet<string> = new Set(
  files.flatMap((path) => {
    const parents: string[] = [];
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) parents.push(folder);
    return parents;
  }),
);

const texts = new Map<string, string>();

export const textOf = (path: string): string => {
  const text = texts.get(path) ?? readFileSync(join(checkout, path), 'utf8');
  texts.set(path, text);
  return text;
};

export const isTest = (path: string): boolean => path.endsWith('.test.ts');

/** Tests, what they need and what runs them; none of it is shipped. */
export const isForTests = (path: string): boolean =>
  isTest(path) || /^testing\/|\/fixtures\/|^vitest\.config\.ts$/.test(path);

export const code = files.filter((path) => /\.(ts|mjs)$/.test(path));
