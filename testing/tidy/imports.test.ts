import { expect, test } from 'vitest';
import { importsOf, isRelative, npmPackage, target, workspaceOf } from './imports.ts';
import { code, isForTests, textOf } from './tree.ts';

/** The layers: the language at the bottom, decisions without effects, one driver per file, services apart. */

const shipped = code.filter((path) => !isForTests(path));

const below = ['contracts', 'kernel', 'drivers'];
/** Each layer: its folder, its name in imports, and what of ours it may import. The first folder that fits counts. */
const layers = [
  { folder: 'contracts/', name: 'contracts', mayImport: [] },
  { folder: 'kernel/', name: 'kernel', mayImport: [] },
  { folder: 'drivers/', name: 'drivers', mayImport: ['contracts', 'kernel'] },
  { folder: 'edge-agent/', name: 'edge-agent', mayImport: below },
  { folder: 'bridge/', name: 'bridge', mayImport: below },
  { folder: 'hub/', name: 'hub', mayImport: below },
  { folder: 'simulators/', name: 'simulators', mayImport: ['contracts', 'kernel'] },
  // The one-machine stack starts agents and hubs with the flags that they themselves name.
  { folder: 'deploy/local/', name: 'local', mayImport: [...below, 'simulators', 'edge-agent', 'hub'] },
  // What packs the services for a machine may ask them how they want to run.
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

test('imports are found in every form in which they are written', () => {
  expect(importsOf('bridge/io/kafka-produce.ts').map(({ from }) => from)).toContain(
    '../core/record-batch.ts',
  );
  expect(importsOf('drivers/kafka/client.ts').map(({ from }) => from)).toContain('kafkajs');
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
 * Files that decide and have no effect: everything in `core/`, and these, which stand beside what they decide for. They
 * import each other, `contracts` and `kernel`; of other files types only.
 */
const namedPure = [
  'drivers/kafka/decode.ts',
  'drivers/kafka/record-queue.ts',
  'hub/ledger/agents/agent-clock.ts',
  'hub/ledger/books/booked.ts',
  'hub/ledger/books/entry.ts',
  'hub/ledger/books/fold.ts',
  'hub/ledger/books/pending-rows.ts',
  'hub/ledger/books/sales/fold.ts',
  'hub/ledger/books/stock/fold.ts',
  'hub/ledger/books/turns.ts',
  'hub/ledger/intake/slice-size.ts',
  'hub/ledger/intake/slice.ts',
  'hub/ledger/intake/watchdog.ts',
  'hub/postgres/errors.ts',
];
const isPure = (path: string) => /(^|\/)core\//.test(path) || namedPure.includes(path);
const pure = shipped.filter(isPure);

test('pure files import pure files, contracts and kernel, and nothing that has an effect', () => {
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

test('pure files ask no clock, no dice and no environment', () => {
  const ambient =
    /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|randomUUID|setTimeout|setInterval|process\.\w+)/;
  expect(
    pure.flatMap((path) => {
      const found = ambient.exec(textOf(path));
      return found === null ? [] : [`${path} uses ${found[1]}`];
    }),
  ).toEqual([]);
});

/** kafkajs and its driver are one thing, mqtt.js and its driver another, pg and its COPY a third; zod is none. */
const driverOf = (from: string): string | undefined => {
  if (from.startsWith('@branchline/drivers/')) return from.includes('/kafka/') ? 'kafkajs' : 'mqtt';
  const name = npmPackage(from);
  if (name === 'pg-copy-streams') return 'pg';
  return name === 'zod' ? undefined : name;
};

/** Files of `io/` that stand on other ones. Everything else of `io/` is wired together above it. */
const standsOn: Record<string, { on: RegExp; because: string }> = {
  'bridge/io/kafka-record.ts': {
    on: /^bridge\/io\/kafka-produce\.ts$/,
    because: 'both are the producer; the other file teaches kafkajs to take prepared records',
  },
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

test('io files do not import each other, but for those that say why', () => {
  const isAllowed = (path: string, from: string) => {
    if (!isRelative(from) || !target(path, from).includes('/io/')) return true;
    return Object.entries(standsOn).some(
      ([folder, { on }]) => path.startsWith(folder) && on.test(target(path, from)),
    );
  };
  expect(broken(inIo, isAllowed)).toEqual([]);
});

test('run.ts and the stages import driver packages for their types only', () => {
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
