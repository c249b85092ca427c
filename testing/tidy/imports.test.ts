import { expect, test } from 'vitest';
import { importsIn, importsOf, isRelative, npmPackage, target, workspaceOf } from './imports.ts';
import { parseText } from './syntax.ts';
import { code, isForTests, textOf } from './tree.ts';

/** The layers: contracts and kernel at the bottom, pure decisions, one driver per io file, services apart. */

const shipped = code.filter((path) => !isForTests(path));

const below = ['contracts', 'kernel', 'drivers'];
/** Each layer: its folder, its name in imports, and which of our workspaces it may import. The first match counts. */
const layers = [
  { folder: 'contracts/', name: 'contracts', mayImport: [] },
  { folder: 'kernel/', name: 'kernel', mayImport: [] },
  { folder: 'drivers/', name: 'drivers', mayImport: ['contracts', 'kernel'] },
  { folder: 'edge-agent/', name: 'edge-agent', mayImport: below },
  { folder: 'bridge/', name: 'bridge', mayImport: below },
  { folder: 'hub/', name: 'hub', mayImport: below },
  { folder: 'simulators/', name: 'simulators', mayImport: ['contracts', 'kernel'] },
  // The one-machine stack starts agents and hubs with the flags that they export.
  { folder: 'deploy/local/', name: 'local', mayImport: [...below, 'simulators', 'edge-agent', 'hub'] },
  // The bundler reads from each service how it is started.
  {
    folder: 'deploy/',
    name: 'deploy',
    mayImport: ['contracts', 'kernel', 'local', 'edge-agent', 'bridge', 'hub'],
  },
];
const layerOf = (path: string) => layers.find(({ folder }) => path.startsWith(folder));

/** One line per import that breaks a rule, so that a failure names all of them. */
const broken = (paths: readonly string[], isAllowed: (path: string, from: string) => boolean): string[] =>
  paths.flatMap((path) =>
    importsOf(path)
      .filter(({ from }) => !isAllowed(path, from))
      .map(({ from }) => `${path} imports ${from}`),
  );

test('every form of import is found, and type-only ones are told apart', () => {
  const source = parseText(`
    import './a.ts';
    import b, { type B } from './b.ts';
    import type { C } from './c.ts';
    export { d } from './d.ts';
    export type * from './e.ts';
    const f = await import('./f.ts');
    const g = require('./g.ts');
    type H = import('./h.ts').H;
    const text = "import i from './i.ts'"; // import './j.ts'
  `);
  const imports = importsIn(source);
  expect(imports.filter(({ typeOnly }) => !typeOnly).map(({ from }) => from)).toEqual(
    [...'abdfg'].map((name) => `./${name}.ts`),
  );
  expect(imports.filter(({ typeOnly }) => typeOnly).map(({ from }) => from)).toEqual(
    [...'ceh'].map((name) => `./${name}.ts`),
  );
  expect(code.flatMap(importsOf).length).toBeGreaterThan(code.length);
});

test('every file that ships belongs to a layer', () => {
  expect(shipped.filter((path) => path.includes('/') && layerOf(path) === undefined)).toEqual([]);
});

test.each(layers)('$folder imports only the layers below it', (layer) => {
  const isAllowed = (path: string, from: string) => {
    if (isRelative(from)) return target(path, from).startsWith(layer.folder);
    const other = workspaceOf(from);
    return other === undefined || other === layer.name || layer.mayImport.includes(other);
  };
  const own = shipped.filter((path) => layerOf(path) === layer);
  expect(broken(own, isAllowed)).toEqual([]);
});

test('contracts need nothing but zod', () => {
  const own = shipped.filter((path) => path.startsWith('contracts/'));
  expect(broken(own, (_, from) => isRelative(from) || from === 'zod')).toEqual([]);
});

test('kernel needs nothing but Node, zod and pino', () => {
  const own = shipped.filter((path) => path.startsWith('kernel/'));
  const allowed = (from: string) =>
    isRelative(from) || from.startsWith('node:') || from === 'zod' || from === 'pino';
  expect(broken(own, (_, from) => allowed(from))).toEqual([]);
});

/**
 * Pure files: everything in `core/`, and these, which stand beside the code that they decide for. They import each other,
 * `contracts` and `kernel`; from other files only types.
 */
const namedPure = [
  'drivers/kafka/crc32c.ts',
  'drivers/kafka/decode.ts',
  'drivers/kafka/encode.ts',
  'drivers/kafka/decompressed-size.ts',
  'drivers/kafka/record-queue.ts',
  'hub/ledger/agents/agent-clock.ts',
  'hub/ledger/books/booked.ts',
  'hub/ledger/books/entry.ts',
  'hub/ledger/books/incarnation.ts',
  'hub/ledger/books/deltas.ts',
  'hub/ledger/books/pending-rows.ts',
  'hub/ledger/books/sales/deltas.ts',
  'hub/ledger/books/stock/deltas.ts',
  'hub/ledger/intake/slice-size.ts',
  'hub/ledger/intake/slice.ts',
  'hub/ledger/intake/watchdog.ts',
  'hub/postgres/errors.ts',
];
const isPure = (path: string) => /(^|\/)core\//.test(path) || namedPure.includes(path);
const pure = shipped.filter(isPure);

test('pure files import only pure files, contracts and kernel', () => {
  expect(namedPure.filter((path) => !pure.includes(path))).toEqual([]);
  const impure = pure.flatMap((path) =>
    importsOf(path)
      .filter(({ from, typeOnly }) => {
        if (typeOnly) return false;
        return isRelative(from)
          ? !isPure(target(path, from))
          : !['contracts', 'kernel'].includes(workspaceOf(from) ?? '');
      })
      .map(({ from }) => `${path} imports ${from}`),
  );
  expect(impure).toEqual([]);
});

test('pure files read no clock, no randomness and no environment', () => {
  const ambient =
    /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|randomUUID|setTimeout|setInterval|process\.\w+)/;
  expect(
    pure.flatMap((path) => {
      const found = ambient.exec(textOf(path));
      return found === null ? [] : [`${path} uses ${found[1]}`];
    }),
  ).toEqual([]);
});

/** The driver that an import stands for: a package, or our wrapper of it. zod is not a driver. */
const driverOf = (from: string): string | undefined => {
  if (from.startsWith('@branchline/drivers/')) return from.includes('/kafka/') ? 'kafkajs' : 'mqtt';
  const name = npmPackage(from);
  if (name === 'pg-copy-streams') return 'pg';
  return name === 'zod' ? undefined : name;
};

const inIo = shipped.filter((path) => /(^|\/)io\//.test(path));

test('an io file wraps one driver', () => {
  expect(inIo.length).toBeGreaterThan(10);
  const several = inIo.map((path) => ({
    path,
    drivers: new Set(importsOf(path).flatMap(({ from }) => driverOf(from) ?? [])),
  }));
  expect(several.filter(({ drivers }) => drivers.size > 1)).toEqual([]);
});

test('io files do not import each other', () => {
  const isAllowed = (path: string, from: string) => !isRelative(from) || !target(path, from).includes('/io/');
  expect(broken(inIo, isAllowed)).toEqual([]);
});

test('kafkajs is imported in drivers/kafka only, so that another client would change one folder', () => {
  const isAllowed = (path: string, from: string) =>
    path.startsWith('drivers/kafka/') || npmPackage(from) !== 'kafkajs';
  expect(broken(code, isAllowed)).toEqual([]);
});

test('run.ts and the stages import only types from driver packages', () => {
  const wiring = shipped.filter((path) => /(^|\/)(run\.ts|stages\/.+)$/.test(path));
  expect(wiring.length).toBeGreaterThan(5);
  const found = wiring.flatMap((path) =>
    importsOf(path)
      .filter(
        ({ from, typeOnly }) => !typeOnly && npmPackage(from) !== undefined && driverOf(from) !== undefined,
      )
      .map(({ from }) => `${path} imports ${from}`),
  );
  expect(found).toEqual([]);
});
