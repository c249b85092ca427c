import { matchesGlob, posix } from 'node:path';
import { expect, test } from 'vitest';
import { code, files, folders, textOf } from './tree.ts';

/** Prose goes stale unnoticed: every file, link and decision that a page cites exists. */

const pages = files.filter((path) => path.endsWith('.md') && path !== 'CHANGELOG.md');
const top = new Set(files.map((path) => path.split('/')[0] as string));

const exists = (name: string): boolean => {
  const path = name.replace(/\/$/, '');
  if (files.includes(path) || folders.has(path)) return true;
  if (path.includes('*')) return files.some((file) => matchesGlob(file, path));
  // `run.ts` stands for the file of that name in any service.
  return !path.includes('/') && files.some((file) => file.endsWith(`/${path}`));
};

const quoted = (text: string): string[] =>
  [...text.matchAll(/`([^`\n]+)`/g)]
    .map((found) => found[1] as string)
    .filter((word) => /^[\w.*/-]+$/.test(word))
    .filter((word) => {
      const first = word.split('/')[0] as string;
      return (word.includes('/') && top.has(first)) || /\w\.(ts|mjs|md|json|sql|sh|xml)$/.test(word);
    })
    // Written by a run, not in the repository.
    .filter((word) => !word.startsWith('.branchline/') && word !== 'run.json');

const linked = (page: string): string[] =>
  [...textOf(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
    .map((found) => found[1] as string)
    .filter((to) => !/^[a-z]+:/.test(to))
    .map((to) => posix.join(posix.dirname(page), to));

test('every file that a page names exists', () => {
  expect(pages).toContain('ARCHITECTURE.md');
  expect(quoted(textOf('ARCHITECTURE.md')).length).toBeGreaterThan(20);
  const stale = pages.flatMap((page) =>
    quoted(textOf(page))
      .filter((name) => !exists(name))
      .map((name) => `${page} names ${name}`),
  );
  expect(stale).toEqual([]);
});

test('ARCHITECTURE.md draws the folders of the ledger as they are', () => {
  const [, drawing = ''] = /^hub\/ledger\/\n((?: .+\n)+)/m.exec(textOf('ARCHITECTURE.md')) ?? [];
  const parents = ['hub/ledger'];
  const drawn = [...drawing.matchAll(/^( +)(\w+)\//gm)].map(([, indent = '', name]) => {
    const depth = indent.length / 2;
    parents[depth] = `${parents[depth - 1]}/${name}`;
    return parents[depth];
  });
  expect(drawn).toContain('hub/ledger/books/stock');
  expect(drawn.sort()).toEqual([...folders].filter((folder) => folder.startsWith('hub/ledger/')).sort());
});

test('every relative link leads to a file or folder', () => {
  expect(linked('README.md').length).toBeGreaterThan(5);
  const dead = pages.flatMap((page) =>
    linked(page)
      .filter((to) => !files.includes(to) && !folders.has(to.replace(/\/$/, '')))
      .map((to) => `${page} links to ${to}`),
  );
  expect(dead).toEqual([]);
});

test('every decision that is cited exists', () => {
  const cited = [...code, ...pages].flatMap((path) =>
    [...textOf(path).matchAll(/\bdecisions?[ /](\d{3})\b/g)].map((found) => ({
      path,
      number: found[1] as string,
    })),
  );
  expect(cited.length).toBeGreaterThan(3);
  const taken = (number: string) => files.some((path) => path.startsWith(`docs/decisions/${number}-`));
  expect(cited.filter(({ number }) => !taken(number))).toEqual([]);
});

test.each(['docs/decisions', 'hub/sql'])('the files of %s are numbered without gaps or doubles', (folder) => {
  const numbers = files
    .filter((path) => path.startsWith(`${folder}/`))
    .map((path) => Number(path.slice(folder.length + 1, folder.length + 4)))
    .toSorted((a, b) => a - b);
  expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] as number) + i));
});
