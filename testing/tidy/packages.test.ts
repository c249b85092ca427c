import { expect, test } from 'vitest';
import { importsOf, npmPackage } from './imports.ts';
import { code, files, isForTests, textOf } from './tree.ts';

type Manifest = {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
};
const read = (path: string) => JSON.parse(textOf(path)) as Manifest;
const manifests = files.filter((path) => path.split('/').at(-1) === 'package.json');
const needed = (manifest: Manifest) => ({ ...manifest.dependencies, ...manifest.optionalDependencies });

test('every version is exact', () => {
  expect(manifests.length).toBeGreaterThan(5);
  const loose = manifests.flatMap((path) => {
    const manifest = read(path);
    return Object.entries({ ...needed(manifest), ...manifest.devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${path}: ${name} ${version}`);
  });
  expect(loose).toEqual([]);
});

test('a package has one version in the whole tree', () => {
  const versions = new Map<string, Set<string>>();
  for (const manifest of manifests.map(read))
    for (const [name, version] of Object.entries({ ...needed(manifest), ...manifest.devDependencies }))
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
  expect([...versions].filter(([, several]) => several.size > 1)).toEqual([]);
});

/** Tests may also use the root's tools; what ships may not. */
const tools = Object.keys(read('package.json').devDependencies ?? {});
const workspaces = manifests.filter(
  (path) => path.includes('/') && path !== 'deploy/local/node/package.json',
);

const packagesOf = (paths: readonly string[]): string[] => [
  ...new Set(paths.flatMap((path) => importsOf(path).flatMap(({ from }) => npmPackage(from) ?? []))),
];

test.each(workspaces)('%s lists what its workspace imports, and nothing else', (path) => {
  const own = code.filter((file) => file.startsWith(path.slice(0, -'package.json'.length)));
  const { dependencies = {}, devDependencies = {} } = read(path);
  const isTesting = path.startsWith('testing/');
  const shipped = packagesOf(isTesting ? own : own.filter((file) => !isForTests(file)));
  const wanted = shipped.filter((name) => !isTesting || !tools.includes(name));
  expect(Object.keys(dependencies).sort()).toEqual(wanted.sort());
  const forTests = packagesOf(own).filter((name) => !shipped.includes(name) && !tools.includes(name));
  expect(Object.keys(devDependencies).sort()).toEqual(forTests.sort());
});

test('the lock files name no registry, so that each machine uses its own', () => {
  const locks = files.filter((path) => path.endsWith('package-lock.json'));
  expect(locks.length).toBeGreaterThan(0);
  expect(locks.filter((path) => /"resolved": "https?:/.test(textOf(path)))).toEqual([]);
});
