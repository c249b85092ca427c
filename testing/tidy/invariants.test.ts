import { expect, test } from 'vitest';
import { code, isTest, textOf } from './tree.ts';

/** ARCHITECTURE.md promises a test for each invariant; a test's title says which invariant it guards. */

const architecture = textOf('ARCHITECTURE.md');
const promised = [...architecture.matchAll(/^\| ([A-Z]\d+) \| /gm)].map((row) => row[1] as string);
/** `R1 (…) and P2 (…) belong to services that are not built yet.` */
const later = [...(/^R1 .+not built yet\.$/m.exec(architecture)?.[0] ?? '').matchAll(/\b([A-Z]\d+) \(/g)].map(
  (found) => found[1] as string,
);

/** Titles stand in calls and in tables of scenarios: any text of a test file that begins with ids is one. */
const leading = /['"`]((?:[A-Z]\d{1,2} )+)[a-z%$]/g;
const guarded = code.filter(isTest).flatMap((path) =>
  [...textOf(path).matchAll(leading)].flatMap((title) =>
    (title[1] as string)
      .trim()
      .split(' ')
      .map((id) => ({ id, path })),
  ),
);

test('the table of invariants is read', () => {
  expect(promised).toContain('E1');
  expect(promised.length).toBeGreaterThan(10);
  expect(later).toEqual(['R1', 'P2']);
});

test('every invariant has a test whose title begins with its id', () => {
  expect(promised.filter((id) => !guarded.some((title) => title.id === id))).toEqual([]);
});

test('no test guards an invariant that nobody has written down', () => {
  const known = new Set([...promised, ...later]);
  expect(guarded.filter(({ id }) => !known.has(id)).map(({ id, path }) => `${path}: ${id}`)).toEqual([]);
});

test('an invariant is tested where the table says', () => {
  const rows = [...architecture.matchAll(/^\| ([A-Z]\d+) \| .+ \| .+ \| (.+) \|$/gm)];
  const absent = rows.flatMap(([, id, where]) =>
    [...(where as string).matchAll(/`([^`]+)`/g)]
      .map((named) => named[1] as string)
      .filter((place) => {
        const pattern = new RegExp(`^${place.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}(/.+)?$`);
        return !guarded.some((title) => title.id === id && pattern.test(title.path));
      })
      .map((place) => `${id} in ${place}`),
  );
  expect(rows.length).toBe(promised.length);
  expect(absent).toEqual([]);
});
