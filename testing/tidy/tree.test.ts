import { expect, test } from 'vitest';
import { code, files, textOf } from './tree.ts';

const root = [
  ...[
    '.ci',
    'bridge',
    'contracts',
    'deploy',
    'docs',
    'drivers',
    'edge-agent',
    'hub',
    'kernel',
    'simulators',
    'testing',
  ],
  ...[
    '.gitignore',
    '.npmrc',
    'biome.json',
    'package-lock.json',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ],
  ...['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'],
];

test('the root holds these files and folders, and nothing else', () => {
  expect([...new Set(files.map((path) => path.split('/')[0]))].sort()).toEqual([...root].sort());
});

test('no file has a name that says nothing', () => {
  const nameless = /(^|[/.-])(utils?|helpers?|common|managers?|misc|shared|stuff)([/.-]|$)/;
  expect(files.filter((path) => nameless.test(path))).toEqual([]);
});

/** Spelt in two pieces, so that this file does not match. */
const forbidden: Record<string, RegExp> = {
  'a test that runs alone': new RegExp(`\\.${'only'}\\(`),
  'a reminder instead of the work': new RegExp(`\\b(${'TO'}DO|${'FIX'}ME)\\b`),
};

test.each(Object.entries(forbidden))('the source holds no %s', (_, pattern) => {
  expect(code.filter((path) => pattern.test(textOf(path)))).toEqual([]);
});

test('nothing names a folder of one machine or a package registry', () => {
  const folders = ['wo' + 'rk', 'ro' + 'ot', 'home/\\w+', 'Users/\\w+'].map((name) => `/${name}/`).join('|');
  const hosts = ['\\bregis' + 'try\\.[a-z]', '\\brepo\\d?\\.ma' + 'ven', 'arti' + 'factory'].join('|');
  const place = new RegExp(`(^|[^\\w.}*$-])(${folders})|${hosts}`, 'm');
  expect(place.test(` /${'ro'}ot/x`)).toBe(true);
  expect(files.filter((path) => path !== 'LICENSE' && place.test(textOf(path)))).toEqual([]);
});
