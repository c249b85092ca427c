import { expect, test } from 'vitest';
import { functionsIn } from './functions.ts';
import { changesSince } from './ratchet.ts';
import { parseText, sourceOf } from './syntax.ts';
import { code } from './tree.ts';

/** A screen. */
const linesMax = 70;

test('lines are counted from the syntax, whatever braces stand in strings and expressions', () => {
  const measured = functionsIn(
    parseText(`
      const first = () => {
        const text = \`}\${[1].map((one) => one)}\`; // }
        return /[}'"]/.test(text);
      };
      function second() { return '}'; }
      const third = { method() {
        return [(one: number) =>
          one];
      } };
      export default () => 4;
      describe.each([1])('title', () => {
        test('title', async () => {
          const inTest = () =>
            5;
        });
      });
    `),
  );
  expect(measured).toEqual([
    { name: 'first', lines: 4 },
    { name: 'first > (function)', lines: 1 },
    { name: 'second', lines: 1 },
    { name: 'method', lines: 4 },
    { name: 'method > (function)', lines: 2 },
    { name: '(function)', lines: 1 },
    { name: 'inTest', lines: 2 },
  ]);
});

test(`no new function exceeds ${linesMax} lines, and those that do only shrink`, () => {
  const found = code.flatMap((path) =>
    functionsIn(sourceOf(path)).map(({ name, lines }) => ({ name: `${path}: ${name}`, lines })),
  );
  expect(found.length).toBeGreaterThan(1000);
  const long = found.filter(({ lines }) => lines > linesMax);
  // Of two functions with one name in one file, the longer one counts.
  const longest = Object.fromEntries(
    long.sort((a, b) => a.lines - b.lines).map(({ name, lines }) => [name, lines]),
  );
  expect(changesSince('long-functions.json', longest)).toEqual([]);
});
