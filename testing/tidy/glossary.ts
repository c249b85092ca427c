import type { Node, PropertyKey } from 'oxc-parser';
import type { Source } from './syntax.ts';

/**
 * What names avoid: `slip`; `last words`, in this order; `letter without dead`, unless that word precedes it; `done alone`,
 * unless the name has other words.
 */
export type Avoided = { words: readonly string[]; without?: string; alone: boolean };

export const avoidedWord = (text: string): Avoided => {
  const [, words = text, without] = /^(.+) without (\w+)$/.exec(text) ?? [];
  const alone = words.endsWith(' alone');
  return {
    words: words.replace(/ alone$/, '').split(' '),
    alone,
    ...(without === undefined ? {} : { without }),
  };
};

/** The rows below a header up to the next empty line, as cells. */
const tableBelow = (page: string, header: string): string[][] => {
  const start = page.indexOf(`\n${header}\n`);
  if (start < 0) throw new Error(`no table "${header}"`);
  const lines = page
    .slice(start + 1)
    .split('\n')
    .slice(2);
  return lines.slice(0, lines.indexOf('')).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

/** The words that both tables of the glossary replace, each with what to say instead. */
export const avoidedIn = (page: string): { text: string; say: string }[] => {
  const synonyms = tableBelow(page, '| word | meaning | not |').map(([word, , not]) => ({ not, say: word }));
  const plain = tableBelow(page, '| not | say |').map(([not, say]) => ({ not, say }));
  return [...synonyms, ...plain].flatMap(({ not = '', say = '' }) =>
    not
      .split(', ')
      .filter((text) => text !== '')
      .map((text) => ({ text, say })),
  );
};

/** `lastWordsMs`, `last_words` and `last-words.ts` are all `last words …`. */
export const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());

const isWord = (found: string | undefined, word: string): boolean => found === word || found === `${word}s`;

export const says = (name: string, { words, without, alone }: Avoided): boolean => {
  const found = wordsOf(name);
  if (alone && found.length !== words.length) return false;
  return found.some(
    (_, at) =>
      words.every((word, i) => isWord(found[at + i], word)) &&
      (without === undefined || found[at - 1] !== without),
  );
};

const keyName = (key: PropertyKey, computed: boolean): string[] =>
  key.type === 'Identifier' && !computed ? [key.name] : [];

/** The names that a pattern binds; `...rest` is the language's own idiom. */
const boundBy = (pattern: Node | null): string[] => {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name];
    case 'AssignmentPattern':
      return boundBy(pattern.left);
    case 'ArrayPattern':
      return pattern.elements.flatMap(boundBy);
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        property.type === 'Property' ? boundBy(property.value) : boundBy(property),
      );
    case 'RestElement':
      return boundBy(pattern.argument).filter((name) => name !== 'rest');
    case 'TSParameterProperty':
      return boundBy(pattern.parameter);
    default:
      return [];
  }
};

const declaredBy = (node: Node): string[] => {
  switch (node.type) {
    case 'VariableDeclarator':
      return boundBy(node.id);
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      return [...boundBy(node.id), ...node.params.flatMap(boundBy)];
    case 'ArrowFunctionExpression':
    case 'TSFunctionType':
      return node.params.flatMap(boundBy);
    case 'TSMethodSignature':
      return [...keyName(node.key, node.computed), ...node.params.flatMap(boundBy)];
    case 'CatchClause':
      return boundBy(node.param);
    case 'ClassDeclaration':
    case 'TSTypeAliasDeclaration':
    case 'TSInterfaceDeclaration':
      return boundBy(node.id);
    case 'TSTypeParameter':
      return boundBy(node.name);
    case 'ImportSpecifier':
      return node.imported.type === 'Identifier' && node.imported.name === node.local.name
        ? []
        : [node.local.name];
    case 'Property':
      return node.parent?.type === 'ObjectExpression' && !node.shorthand
        ? keyName(node.key, node.computed)
        : [];
    case 'PropertyDefinition':
    case 'MethodDefinition':
    case 'TSPropertySignature':
      return keyName(node.key, node.computed);
    default:
      return [];
  }
};

/** The names that a file declares, not those that it uses. */
export const declaredIn = ({ nodes }: Source): string[] => nodes.flatMap(declaredBy);
