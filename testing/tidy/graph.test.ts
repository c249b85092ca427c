import { describe, expect, test } from 'vitest';
import { cyclesIn, importGraph, needsGraph, reachableFrom } from './graph.ts';
import { code, files, isForTests, isTest, textOf } from './tree.ts';

const shipped = code.filter((path) => !isForTests(path));
const programs = [...textOf('package.json').matchAll(/node ([\w/.-]+) ([\w/.-]+\.ts)"/g)].flatMap(
  ([, launcher, program]) => [launcher as string, program as string],
);

describe('import cycles', () => {
  test('a cycle is reported as the shortest path from a file back to itself', () => {
    const graph = new Map([
      ['start', ['b']],
      ['b', ['c', 'd']],
      ['c', ['d', 'b']],
      ['d', ['b']],
      ['self', ['self']],
      ['leaf', []],
    ]);
    expect(cyclesIn(graph)).toEqual(['b → c → b', 'b → d → b', 'self → self']);
  });

  test('there are no import cycles', () => {
    expect([...importGraph.values()].flat().length).toBeGreaterThan(code.length);
    expect(cyclesIn(importGraph)).toEqual([]);
  });
});

describe('dead files', () => {
  /** Entry points that no file names by their full path. */
  const bundled = ['hub/dashboard/main.ts'];
  const starts = [...programs.filter((path) => !isForTests(path)), ...bundled];
  const testStarts = [...code.filter(isTest), ...programs.filter(isForTests), 'vitest.config.ts'];
  /** Only the compiler reads declarations. */
  const isDeclaration = (path: string) => path.endsWith('.d.ts');

  test('a file that nothing leads to is not reached', () => {
    const graph = new Map([
      ['main', ['a']],
      ['a', ['b', 'main']],
      ['b', []],
      ['dead', ['b']],
    ]);
    expect([...reachableFrom(['main'], graph)]).toEqual(['main', 'a', 'b']);
  });

  test('every program of package.json exists', () => {
    expect(programs).toContain('deploy/local/start.ts');
    expect(starts.filter((path) => !files.includes(path))).toEqual([]);
  });

  test('every file that ships is needed by a program, not by tests alone', () => {
    const needed = reachableFrom(starts, needsGraph);
    const byTests = reachableFrom(testStarts, needsGraph);
    const unneeded = shipped.filter((path) => !needed.has(path) && !isDeclaration(path));
    expect(
      unneeded.map((path) =>
        byTests.has(path) ? `${path} is for tests only: move it to testing/` : `${path} is used by nothing`,
      ),
    ).toEqual([]);
  });

  test('every file of testing/ is a test or needed by one', () => {
    const needed = reachableFrom(testStarts, needsGraph);
    expect(code.filter((path) => isForTests(path) && !needed.has(path))).toEqual([]);
  });
});
