import type { ArrowFunctionExpression, Function as NamedFunction, Node } from 'oxc-parser';
import type { Source } from './syntax.ts';

export type MeasuredFunction = { name: string; lines: number };

type FunctionNode = ArrowFunctionExpression | NamedFunction;

const isFunction = (node: Node): node is FunctionNode =>
  node.type === 'FunctionDeclaration' ||
  node.type === 'FunctionExpression' ||
  node.type === 'ArrowFunctionExpression';

/** `test` of `test(…)`, `test.each(…)(…)` and `describe.skipIf(…)(…)`. */
const calledName = (node: Node): string | undefined => {
  switch (node.type) {
    case 'Identifier':
      return node.name;
    case 'MemberExpression':
      return calledName(node.object);
    case 'CallExpression':
    case 'TaggedTemplateExpression':
      return calledName(node.type === 'CallExpression' ? node.callee : node.tag);
    default:
      return undefined;
  }
};

/** The body of `describe` or `test` is read from top to bottom like a page, so its length does not count. */
const isBodyOfTest = ({ parent }: Node): boolean =>
  parent?.type === 'CallExpression' && ['describe', 'test'].includes(calledName(parent.callee) ?? '');

/** Its own name, or that of the variable or property that holds it. */
const nameOf = (node: FunctionNode): string => {
  const { parent } = node;
  if (node.type !== 'ArrowFunctionExpression' && node.id) return node.id.name;
  if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier') return parent.id.name;
  if (parent?.type === 'Property' || parent?.type === 'MethodDefinition')
    return parent.key.type === 'Identifier' ? parent.key.name : '(computed)';
  for (let outer: Node | null | undefined = parent; outer; outer = outer.parent)
    if (isFunction(outer)) return `${nameOf(outer)} > (function)`;
  return '(function)';
};

/** Lines of the file, comments and empty lines included. */
export const functionsIn = ({ nodes, text }: Source): MeasuredFunction[] =>
  nodes
    .filter(isFunction)
    .filter((node) => !isBodyOfTest(node))
    .map((node) => ({ name: nameOf(node), lines: text.slice(node.start, node.end).split('\n').length }));
