import { expect, test } from 'vitest';
import { files, textOf } from './tree.ts';

/** A trap of a library is contained only as long as a test fails without the containment. */

const readme = 'drivers/kafka/README.md';
const rows = textOf(readme)
  .slice(textOf(readme).indexOf('## Traps'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| trap'));

/** Files without a folder stand beside the page. */
const pathOf = (name: string): string => (name.includes('/') ? name : `drivers/kafka/${name}`);

const guardsOf = (row: string): { path: string; title: string }[] =>
  [...(row.split(' | ').at(-1) as string).matchAll(/`([^`]+)`: ("[^"]+"(?:, "[^"]+")*)/g)].flatMap(
    ([, name, titles]) =>
      [...(titles as string).matchAll(/"([^"]+)"/g)].map((found) => ({
        path: pathOf(name as string),
        title: found[1] as string,
      })),
  );

test('every trap of the Kafka client names its guard, and the guard is a test that is there', () => {
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((row) => guardsOf(row).length === 0)).toEqual([]);
  const absent = rows
    .flatMap(guardsOf)
    .filter(({ path, title }) => !files.includes(path) || !textOf(path).includes(title));
  expect(absent).toEqual([]);
});

test('every file of the Kafka folder has a line on its page', () => {
  const own = files.filter((path) => path.startsWith('drivers/kafka/') && !path.endsWith('.test.ts'));
  expect(own.length).toBeGreaterThan(10);
  const unnamed = own
    .map((path) => path.slice('drivers/kafka/'.length))
    .filter((name) => name !== 'README.md' && !textOf(readme).includes(`| \`${name}\` |`));
  expect(unnamed).toEqual([]);
});
