import { matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import config from '../../vitest.config.ts';
import { files } from './tree.ts';

/** A test that no project runs can never fail. */
type Project = { test: { name: string; include: string[] } };
const projects = (config as unknown as { test: { projects: Project[] } }).test.projects.map(
  (project) => project.test,
);

test('every test belongs to one project', () => {
  const tests = files.filter((path) => /\.(test|spec)\.[cm]?[jt]sx?$/.test(path));
  expect(tests.length).toBeGreaterThan(30);
  const runBy = (path: string) =>
    projects
      .filter(({ include }) => include.some((pattern) => matchesGlob(path, pattern)))
      .map(({ name }) => name);
  expect(
    tests.map((path) => ({ path, projects: runBy(path) })).filter((one) => one.projects.length !== 1),
  ).toEqual([]);
});

test('every pattern of a project matches tests', () => {
  const unused = projects.flatMap(({ include }) =>
    include.filter((pattern) => !files.some((path) => matchesGlob(path, pattern))),
  );
  expect(unused).toEqual([]);
});
