import { expect, test } from 'vitest';
import { sourceOf } from './syntax.ts';
import { code, files, isForTests, isTest, textOf } from './tree.ts';

/** ARCHITECTURE.md promises a test for each invariant; a test's title says which invariant it guards. */

const architecture = textOf('ARCHITECTURE.md');
const promised = [...architecture.matchAll(/^\| ([A-Z]\d+) \| /gm)].map((row) => row[1] as string);
/** `Not built yet: L1 (…), K1 (…) and P2 (…).`, up to the end of the paragraph. */
const notBuilt = /^Not built yet: [\s\S]+?\.\n\n/m.exec(architecture)?.[0] ?? '';
const later = [...notBuilt.matchAll(/\b([A-Z]\d+) \(/g)].map((found) => found[1] as string);
const known = new Set([...promised, ...later]);

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
  expect(later).toEqual(['L1', 'R1', 'P2']);
});

test('every invariant has a test whose title begins with its id', () => {
  expect(promised.filter((id) => !guarded.some((title) => title.id === id))).toEqual([]);
});

test('no test guards an invariant that nobody has written down', () => {
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

/** Not ids, though they look like one. */
const noIds = new Set([
  // The JavaScript engine.
  'V8',
  // A unit of UN/ECE Recommendation 20.
  'H87',
]);

/** Comments in code cite a bare id, `(H1)`; on pages too much else looks like one, so they say `invariant H1`. */
const citedIn = (path: string, comment: string): string[] => {
  const pattern = path.endsWith('.md') ? /\binvariants? ([A-Z]\d{1,2})\b/g : /\b([A-Z]\d{1,2})\b/g;
  return [...comment.matchAll(pattern)].map((found) => found[1] as string).filter((id) => !noIds.has(id));
};
const undefinedIn = (path: string, comments: readonly string[]): string[] =>
  comments
    .flatMap((comment) => citedIn(path, comment))
    .filter((id) => !known.has(id))
    .map((id) => `${path}: ${id}`);

test('a citation of an undefined invariant is found', () => {
  expect(undefinedIn('a.ts', ['kept (H1, X9)', 'I5: V8 and H87'])).toEqual(['a.ts: X9', 'a.ts: I5']);
  expect(undefinedIn('a.md', ['on A4 (invariant X9)'])).toEqual(['a.md: X9']);
});

test('every cited invariant is defined', () => {
  const commentsOf = (path: string): string[] => {
    if (path.endsWith('.sql')) return [...textOf(path).matchAll(/--.*/g)].map(([comment]) => comment);
    return path.endsWith('.md') ? [textOf(path)] : sourceOf(path).comments.map(({ value }) => value);
  };
  const citing = [
    ...code.filter((path) => !isForTests(path)),
    ...files.filter((path) => /\.(sql|md)$/.test(path)),
  ].map((path) => ({ path, comments: commentsOf(path) }));
  const cited = citing.flatMap(({ path, comments }) => comments.flatMap((comment) => citedIn(path, comment)));
  expect(cited.length).toBeGreaterThan(20);
  expect(citing.flatMap(({ path, comments }) => undefinedIn(path, comments))).toEqual([]);
});
