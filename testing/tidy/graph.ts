import { posix } from 'node:path';
import { importsOf, isRelative, target, workspaceOf } from './imports.ts';
import { sourceOf } from './syntax.ts';
import { code, files, textOf } from './tree.ts';

/** The files that each file leads to. */
export type Graph = ReadonlyMap<string, readonly string[]>;

const folderOfWorkspace = new Map(
  files
    .filter((path) => posix.basename(path) === 'package.json' && path.includes('/'))
    .map((path) => [JSON.parse(textOf(path)).name as string, posix.dirname(path)]),
);

/** The file in the checkout that an import means; undefined for packages and node: modules. */
const fileOf = (path: string, from: string): string | undefined => {
  if (isRelative(from)) return target(path, from);
  const name = `@branchline/${workspaceOf(from)}`;
  const folder = folderOfWorkspace.get(name);
  return folder === undefined ? undefined : folder + from.slice(name.length);
};

const isCode = new Set(code);

const importedBy = (path: string): string[] =>
  importsOf(path)
    .flatMap(({ from }) => fileOf(path, from) ?? [])
    .filter((file) => isCode.has(file));

/** Type imports count too: files that can only be understood together form a cycle, whatever remains at run time. */
export const importGraph: Graph = new Map(code.map((path) => [path, importedBy(path)]));

/** What a file needs: its imports and the programs that it names (`script: 'hub/main.ts'`). */
export const needsGraph: Graph = new Map(
  code.map((path) => {
    const named = sourceOf(path).nodes.flatMap((node) =>
      node.type === 'Literal' && typeof node.value === 'string'
        ? [node.value, ...(isRelative(node.value) ? [target(path, node.value)] : [])]
        : [],
    );
    return [path, [...importedBy(path), ...named.filter((file) => isCode.has(file))]];
  }),
);

export const reachableFrom = (starts: readonly string[], graph: Graph): ReadonlySet<string> => {
  const reached = new Set(starts);
  // Iterating over a set includes what is added meanwhile.
  for (const path of reached) for (const next of graph.get(path) ?? []) reached.add(next);
  return reached;
};

/** The shortest path from `start` back to itself. */
const shortestCycle = (start: string, graph: Graph): readonly string[] | undefined => {
  const before = new Map<string, string>();
  const queue = [start];
  for (const path of queue)
    for (const next of graph.get(path) ?? []) {
      if (next === start) {
        const way = [path];
        while (way[0] !== start) way.unshift(before.get(way[0] as string) as string);
        return way;
      }
      if (before.has(next)) continue;
      before.set(next, path);
      queue.push(next);
    }
  return undefined;
};

/** The shortest cycle through each file, as `a → b → a`; each cycle once. */
export const cyclesIn = (graph: Graph): readonly string[] => {
  const cycles = [...graph.keys()].flatMap((path) => {
    const cycle = shortestCycle(path, graph);
    if (cycle === undefined) return [];
    const first = cycle.indexOf([...cycle].sort()[0] as string);
    const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
    return [[...turned, turned[0]].join(' → ')];
  });
  return [...new Set(cycles)].sort();
};
