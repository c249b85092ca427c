import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { textOf } from './tree.ts';

/** `typeOnly` imports are gone when the program runs. */
export type Import = { from: string; typeOnly: boolean };

const statement = /^(?:import|export)\s+(type\s)?[\w$*{}\s,]*?from\s+'([^']+)'/gm;
const sideEffect = /^import\s+'([^']+)'/gm;
const called = /\b(?:import|require)\('([^']+)'\)/g;

/** Biome's format is what makes expressions as plain as these enough. */
export const importsOf = (path: string): Import[] => {
  const text = textOf(path);
  return [
    ...[...text.matchAll(statement)].map((found) => ({
      from: found[2] as string,
      typeOnly: found[1] !== undefined,
    })),
    ...[...text.matchAll(sideEffect), ...text.matchAll(called)].map((found) => ({
      from: found[1] as string,
      typeOnly: false,
    })),
  ];
};

export const isRelative = (from: string): boolean => from.startsWith('.');

/** The file in the checkout that a relative import means. */
export const target = (path: string, from: string): string => posix.join(posix.dirname(path), from);

/** `kafkajs` of `kafkajs/src/network`, `@scope/name` of `@scope/name/file`; undefined for files, node: and our own. */
export const npmPackage = (from: string): string | undefined => {
  if (isRelative(from) || isBuiltin(from) || from.startsWith('@branchline/')) return undefined;
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
};

/** `bridge` of `@branchline/bridge/run.ts`. */
export const workspaceOf = (from: string): string | undefined => /^@branchline\/([^/]+)/.exec(from)?.[1];
