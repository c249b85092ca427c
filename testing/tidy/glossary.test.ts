import { expect, test } from 'vitest';
import { avoidedIn, avoidedWord, declaredIn, says, wordsOf } from './glossary.ts';
import { changesSince } from './ratchet.ts';
import { parseText, sourceOf } from './syntax.ts';
import { code, files, isForTests, textOf } from './tree.ts';

/** One word, one meaning: names do without the words that the glossary in ARCHITECTURE.md replaces. */

/** Where such a word means something else. */
const innocent: { text: string; path: RegExp; name?: RegExp; because: string }[] = [
  { text: 'gain', path: /^hub\/sql\//, because: 'a migration keeps the name under which it ran' },
  {
    text: 'part',
    path: /^(bridge|contracts|edge-agent|kernel|simulators|hub\/(dashboard|postgres|reports\/core))\//,
    because: 'a piece of a text, a batch, a range, a replay or a request',
  },
  {
    text: 'place',
    path: /^(contracts|hub\/dashboard|hub\/ledger\/books|simulators)\//,
    because: 'decimal places, a spot on the page, a site with a location in it',
  },
  { text: 'letter without dead', path: /^(kernel|hub\/dashboard|simulators)\//, because: 'a character' },
  {
    text: 'rest',
    path: /^(?!edge-agent\/)/,
    name: /^rest$/,
    because: 'what is left of a text or a number',
  },
  {
    text: 'look',
    path: /^(hub\/dashboard\/(cell-list|panels\/\w+-(panel|chart))|deploy\/local\/verify-report)\.ts$/,
    because: 'somebody looks at something',
  },
  { text: 'ack alone', path: /kafka|control/, name: /^acks$/, because: 'a field of the Kafka protocol' },
  {
    text: 'done alone',
    path: /^(deploy\/local\/broker|hub\/reports\/http\/server)\.ts$/,
    because: 'so aedes and fastify call the callback that they hand over',
  },
];

test('a name is split into words, whatever its case style', () => {
  expect(wordsOf('lastWordsMs')).toEqual(['last', 'words', 'ms']);
  expect(wordsOf('HTTPServer_010-waiting-gains.sql')).toEqual([
    'http',
    'server',
    '010',
    'waiting',
    'gains',
    'sql',
  ]);
});

test.each([
  ['slip', 'newSlips', true],
  ['slip', 'slipped', false],
  ['last words', 'lastWordsMs', true],
  ['last words', 'lastWord', false],
  ['letter without dead', 'tooLargeLetter', true],
  ['letter without dead', 'deadLetters', false],
  ['done alone', 'done', true],
  ['done alone', 'shareDone', false],
])('%s is said by %s: %s', (text, name, expected) => {
  expect(says(name, avoidedWord(text))).toBe(expected);
});

test('the tables of the glossary are read', () => {
  const page =
    '\n| word | meaning | not |\n|---|---|---|\n| a | b | c, d e |\n| f | g | |\n\n| not | say |\n|---|---|\n| h | i |\n';
  expect(avoidedIn(`${page}\n`)).toEqual([
    { text: 'c', say: 'a' },
    { text: 'd e', say: 'a' },
    { text: 'h', say: 'i' },
  ]);
  expect(avoidedIn(textOf('ARCHITECTURE.md'))).toContainEqual({ text: 'slip', say: 'transaction' });
});

test('names are found where they are declared, not where they are used', () => {
  const given = declaredIn(
    parseText(`
      import { a as b, c } from 'd';
      type E<F> = { g: c.h; i(j: c): void; k: (l: c) => c };
      const { m, n: o = p, ...rest } = q.r;
      const s = ([t, ...u]: c) => ({ v: w, m, [x]: y.z });
      class Aa { static bb = cc.dd; ee(ff: c) {} }
      function gg() { try { hh(); } catch (ii) {} }
    `),
  );
  expect(given.sort()).toEqual([...'bEFgijklmostuv', 'Aa', 'bb', 'ee', 'ff', 'gg', 'ii'].sort());
});

test('no name in shipped code contains a word that the glossary replaces', () => {
  const avoided = avoidedIn(textOf('ARCHITECTURE.md')).map(({ text, say }) => ({
    text,
    say,
    word: avoidedWord(text),
  }));
  const shipped = code.filter((path) => !isForTests(path));
  const fileNames = files
    .filter((path) => !isForTests(path) && !path.endsWith('.md'))
    .map((path) => ({ path, name: path }));
  const names = shipped.flatMap((path) => declaredIn(sourceOf(path)).map((name) => ({ path, name })));
  expect(names.length).toBeGreaterThan(5000);
  const used = new Set<(typeof innocent)[number]>();
  const found: Record<string, number> = {};
  const sayInstead = new Map<string, string>();
  for (const { path, name } of [...fileNames, ...names])
    for (const { text, say, word } of avoided) {
      if (!says(name, word)) continue;
      const exception = innocent.find(
        (one) => one.text === text && one.path.test(path) && (one.name?.test(name) ?? true),
      );
      if (exception !== undefined) used.add(exception);
      else {
        const line = name === path ? path : `${path}: ${name}`;
        found[line] = (found[line] ?? 0) + 1;
        sayInstead.set(line, say);
      }
    }
  expect(innocent.filter((exception) => !used.has(exception))).toEqual([]);
  expect(changesSince('old-words.json', found, (line) => `, say ${sayInstead.get(line)}`)).toEqual([]);
});
