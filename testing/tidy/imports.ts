import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { type Source, sourceOf } from './syntax.ts';

/** `typeOnly` imports are gone when the program runs. */
export type Import = { from: string; typeOnly: boolean };

/** `import { type A }` is no type-only import: Node still loads the file. */
export const importsIn = ({ nodes }: Source): Import[] =>
  nodes.flatMap((node): Import[] => {
    switch (node.type) {
      case 'ImportDeclaration':
        return [{ from: node.source.value, typeOnly: node.importKind === 'type' }];
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration':
        return node.source === null
          ? []
          : [{ from: node.source.value, typeOnly: node.exportKind === 'type' }];
      case 'TSImportType':
        return [{ from: node.source.value, typeOnly: true }];
      case 'ImportExpression':
        return literal(node.source).map((from) => ({ from, typeOnly: false }));
      case 'CallExpression':
        return node.callee.type === 'Identifier' && node.callee.name === 'require'
          ? literal(node.arguments[0]).map((from) => ({ from, typeOnly: false }))
          : [];
      default:
        return [];
    }
  });

const literal = (node: { type: string; value?: unknown } | undefined): string[] =>
  node?.type === 'Literal' && typeof node.value === 'string' ? [node.value] : [];

export const importsOf = (path: string): Import[] => importsIn(sourceOf(path));

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
