import { type Comment, type Node, parseSync, visitorKeys } from 'oxc-parser';
import { textOf } from './tree.ts';

/** oxc-parser, because TypeScript 7 has no compiler API: an ESTree with comments. */
export type Source = { nodes: readonly Node[]; comments: readonly Comment[]; text: string };

/** All nodes in the order of the text, each with its parent. */
const nodesOf = (root: Node): Node[] => {
  const nodes: Node[] = [];
  const visit = (node: Node, parent?: Node): void => {
    if (parent !== undefined) node.parent = parent;
    nodes.push(node);
    for (const key of visitorKeys[node.type] ?? []) {
      const inner = (node as unknown as Record<string, Node | readonly (Node | null)[] | null>)[key];
      for (const child of [inner].flat()) if (child) visit(child, node);
    }
  };
  visit(root);
  return nodes;
};

export const parseText = (text: string, path = 'fixture.ts'): Source => {
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} cannot be parsed: ${errors[0]?.message}`);
  return { nodes: nodesOf(program), comments, text };
};

const parsed = new Map<string, Source>();

export const sourceOf = (path: string): Source => {
  const source = parsed.get(path) ?? parseText(textOf(path), path);
  parsed.set(path, source);
  return source;
};
