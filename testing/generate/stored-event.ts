import * as currency from '@branchline/contracts/currency.ts';
import * as decimal from '@branchline/contracts/decimal.ts';
import * as eventContract from '@branchline/contracts/event.ts';
import * as itemContract from '@branchline/contracts/item.ts';
import { isJson } from '@branchline/contracts/json.ts';
import { posSchemas } from '@branchline/contracts/pos.ts';
import * as rules from '@branchline/contracts/rules.ts';
import { stockSchemas } from '@branchline/contracts/stock.ts';
import {
  keptOfAborted,
  keptOfCount,
  keptOfDayClosed,
  keptOfMovement,
  keptOfTransaction,
} from '@branchline/contracts/stored-fields.ts';
import * as time from '@branchline/contracts/time.ts';
import * as z from 'zod';

/**
 * Generates `contracts/stored-event.generated.ts`, the reader of canonical text, from the schemas (decision 019). Every field
 * becomes a part of a sticky regular expression. A list whose elements are kept ends the expression: its elements are read one
 * by one, and the next expression continues behind it. Checks that are functions, and rules across fields, are called by
 * the names under which `contracts` exports them. An optional field that no regular expression can read is left out, so an
 * event that has it takes the slow path; a required one is an error.
 */

const modules = {
  './currency.ts': currency,
  './decimal.ts': decimal,
  './event.ts': eventContract,
  './item.ts': itemContract,
  './rules.ts': rules,
  './time.ts': time,
};

type Kept = { readonly [key: string]: Kept | true };
type Schema = z.core.$ZodType;

/** Characters that JSON does not escape. */
const plain = String.raw`[^"\\\x00-\x1f]`;
/** Below 2^53, so the number is exact. */
const digits = String.raw`[1-9]\d{0,14}`;

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

const classPattern = /\[(?:[^\]\\]|\\.)*\]/g;
const escaped = Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).concat('"', '\\');

/** What is left of a pattern without its groups. */
const topLevel = (source: string): string => {
  const without = source.replace(/\(\?:[^()]*\)/g, '');
  return without === source ? source : topLevel(without);
};

/** Whether JSON escapes nothing that the pattern matches: only then can it be part of an expression for JSON text. */
const isPlain = ({ source, flags }: RegExp): boolean => {
  const outside = source.slice(1, -1).replace(classPattern, '');
  return (
    flags === '' &&
    source.startsWith('^') &&
    source.endsWith('$') &&
    !topLevel(outside).includes('|') &&
    (source.match(classPattern) ?? []).every(
      (one) => !one.startsWith('[^') && !escaped.some((character) => new RegExp(one).test(character)),
    ) &&
    /^(?:[A-Za-z0-9_:-]|\\[d.]|[|?+*]|\{\d+(?:,\d*)?\}|\(\?:|\))*$/.test(outside)
  );
};

/** How a scalar is written. `accepts` are the names of functions that have to accept the text as well. */
type Scalar = {
  before: string;
  source: string;
  after: string;
  accepts: string[];
  kind: 'text' | 'whole' | 'flag' | 'word';
  /** The values of a word. */
  words?: string[];
};

/** A list whose elements are read one by one. `open` is the group that matches if an optional list is present. */
type List = { name: string; key: string; open: number | undefined; min: number };

type Piece = { parts: string[]; groups: number; conditions: string[]; list: List | undefined };

/** Collects the generated code. */
class Code {
  readonly imports = new Map<string, Set<string>>();
  readonly patterns: string[] = [];
  readonly functions: string[] = [];
  readonly #tests = new Map<string, string>();

  /** The name under which `contracts` exports a function. */
  nameOf(value: unknown): string {
    for (const [module, exported] of Object.entries(modules)) {
      const found = Object.entries(exported).find(([, one]) => one === value);
      if (found !== undefined) return this.import(module, found[0]);
    }
    throw new Error(`a check that contracts does not export by name: ${value}`);
  }

  import(module: string, name: string): string {
    const names = this.imports.get(module) ?? new Set();
    this.imports.set(module, names.add(name));
    return name;
  }

  /** Tests a pattern that cannot be part of an expression for JSON text. */
  testOf(pattern: RegExp): string {
    const known = this.#tests.get(String(pattern));
    if (known !== undefined) return known;
    const name = `pattern${this.#tests.size + 1}`;
    this.patterns.push(`const ${name} = ${pattern};`);
    this.#tests.set(String(pattern), `${name}.test`);
    return `${name}.test`;
  }

  piece(name: string, { parts }: Piece): void {
    const lines = parts.map((part) => `  String.raw\`${part}\`,`);
    this.patterns.push(`const ${name} = piece(\n${lines.join('\n')}\n);`);
  }
}

const scalarOf = (schema: Schema, code: Code): Scalar | undefined => {
  const text = { before: '"', after: '"', accepts: [] as string[] };
  if (schema instanceof z.ZodString) return { ...text, ...ofText(schema, code), kind: 'text' };
  if (schema instanceof z.ZodNumber && schema.isInt) {
    const min = schema.minValue ?? 0;
    if (min > 1) throw new Error(`a minimum that the number of digits does not show: ${min}`);
    const source = min === 1 ? digits : min === 0 ? `${digits}|0` : `-?${digits}|0`;
    return { before: '', source, after: '', accepts: [], kind: 'whole' };
  }
  if (schema instanceof z.ZodBoolean)
    return { before: '', source: 'true|false', after: '', accepts: [], kind: 'flag' };
  if (schema instanceof z.ZodRecord) {
    const source = ofRecord(schema);
    return source === undefined ? undefined : { before: '', source, after: '', accepts: [], kind: 'text' };
  }
  if (!(schema instanceof z.ZodEnum)) return undefined;
  const words = schema.options.map(String);
  return { ...text, source: words.map(quoted).join('|'), kind: 'word', words };
};

/** A JSON value of limited depth, in canonical form. Numbers with an exponent are left out, because 1e999 is not finite. */
const json = (levels: number): string => {
  const word = `"${plain}*"`;
  const simple = String.raw`${word}|-?(?:[1-9]\d{0,14}|0)(?:\.\d{1,15})?|true|false|null`;
  if (levels === 0) return `(?:${simple})`;
  const inner = json(levels - 1);
  const object = String.raw`\{(?:${word}:${inner}(?:,${word}:${inner})*)?\}`;
  return String.raw`(?:${simple}|${object}|\[(?:${inner}(?:,${inner})*)?\])`;
};

const ofRecord = ({ keyType, valueType }: z.ZodRecord): string | undefined => {
  if (!(valueType instanceof z.ZodCustom && valueType.def.fn === isJson)) return undefined;
  if (!(keyType instanceof z.ZodString && keyType.def.checks?.length === 1)) return undefined;
  const field = `"${plain}{0,${keyType.maxLength}}":${json(2)}`;
  return String.raw`\{(?:${field}(?:,${field})*)?\}`;
};

const ofText = (schema: z.ZodString, code: Code): { source: string; accepts: string[] } => {
  let source = `${plain}${schema.maxLength === null ? '*' : `{0,${schema.maxLength}}`}`;
  const accepts: string[] = [];
  for (const check of schema.def.checks ?? []) {
    if (check instanceof z.core.$ZodCheckMaxLength) continue;
    if (check instanceof z.core.$ZodCheckRegex) {
      const { pattern } = check._zod.def;
      if (isPlain(pattern)) source = pattern.source.slice(1, -1);
      else accepts.push(code.testOf(pattern));
    } else if (check instanceof z.core.$ZodCustom) accepts.push(code.nameOf(check._zod.def.fn));
    else throw new Error(`a check of a text that the reader does not support: ${check._zod.def.check}`);
  }
  return { source, accepts };
};

const rulesOf = (schema: Schema, code: Code): string[] =>
  ((schema as z.ZodType).def.checks ?? []).map((check) => {
    const rule = rules.ruleOf(check._zod.check);
    if (rule === undefined) throw new Error('a check of an object that is not a rule');
    return code.nameOf(rule);
  });

const lengthsOf = (schema: z.ZodArray): { min: number; max: number } => {
  const lengths = { min: 0, max: Number.NaN };
  for (const check of schema.def.checks ?? []) {
    if (check instanceof z.core.$ZodCheckMaxLength) lengths.max = check._zod.def.maximum;
    else if (check instanceof z.core.$ZodCheckMinLength) lengths.min = check._zod.def.minimum;
    else throw new Error(`a check of a list that the reader does not support: ${check._zod.def.check}`);
  }
  if (Number.isNaN(lengths.max)) throw new Error('a list without a limit');
  return lengths;
};

const isOptional = (schema: Schema): boolean => schema instanceof z.ZodOptional;
const withoutOptional = (schema: Schema): Schema =>
  schema instanceof z.ZodOptional ? schema.unwrap() : schema;

/** The kept part of an object: the fields of an object literal, and the statements that come before it. */
type Made = { fields: string[]; statements: string[] };

/** Walks through one object and makes the expressions that read its text. */
class Walk {
  readonly pieces: Piece[] = [];
  readonly #code: Code;
  readonly #name: string;
  readonly #type: string;
  #piece: Piece = { parts: [], groups: 0, conditions: [], list: undefined };
  /** Whether an enclosing object is optional. */
  #mayBeMissing = false;

  constructor(code: Code, name: string, type: string) {
    this.#code = code;
    this.#name = name;
    this.#type = type;
  }

  get #found(): string {
    return `found${this.pieces.length + 1}`;
  }

  get parts(): string[] {
    return this.#piece.parts;
  }

  /** Whether the object is one expression without groups, so that it can be repeated inside another one. */
  get isPattern(): boolean {
    return this.pieces.length === 0 && this.#piece.groups === 0;
  }

  add(part: string): void {
    const { parts } = this.#piece;
    if (parts.length === 0) parts.push(part);
    else parts[parts.length - 1] += part;
  }

  /** On a line of its own. */
  #addField(part: string): void {
    this.#piece.parts.push(part);
  }

  /** Counts a new group; returns the code that accesses it. */
  group(): string {
    return `${this.#found}[${++this.#piece.groups}]`;
  }

  condition(text: string): void {
    this.#piece.conditions.push(text);
  }

  end(list?: List): void {
    this.#piece.list = list;
    this.pieces.push(this.#piece);
    this.#piece = { parts: [], groups: 0, conditions: [], list: undefined };
  }

  /** The keys in `first` precede the others. */
  object(schema: z.ZodObject, kept: Kept | undefined, first: string[] = []): Made {
    const made: Made = { fields: [], statements: [] };
    const keys = [...first, ...Object.keys(schema.shape).filter((key) => !first.includes(key))];
    const readable = keys.filter((key) => this.#canRead(schema.shape[key] as Schema, key));
    const required = readable.findIndex((key) => !isOptional(schema.shape[key] as Schema));
    const after = required === -1 ? String.raw`(?:,|(?=\}))` : ',';
    this.add(String.raw`\{`);
    for (const [i, key] of readable.entries()) {
      const field = schema.shape[key] as Schema;
      // Up to the first required field, commas follow an optional field; after it, they precede each field.
      const opening = isOptional(field) ? '(?:' : '';
      const leads = required === -1 || i <= required;
      this.#addField(`${opening}${leads ? '' : ','}"${key}":`);
      this.#value(field, kept?.[key], key, made);
      if (isOptional(field) && this.parts.length > 0) this.add(`${leads ? after : ''})?`);
    }
    if (required === -1) this.add('(?<!,)');
    this.add(String.raw`\}`);
    return made;
  }

  #canRead(field: Schema, key: string): boolean {
    const schema = withoutOptional(field);
    const can =
      schema instanceof z.ZodObject ||
      schema instanceof z.ZodArray ||
      schema instanceof z.ZodLiteral ||
      scalarOf(schema, new Code()) !== undefined;
    if (!can && !isOptional(field))
      throw new Error(`a required field of ${this.#name} that cannot be read: ${key}`);
    return can;
  }

  #value(field: Schema, kept: Kept | true | undefined, key: string, made: Made): void {
    const schema = withoutOptional(field);
    const inner = kept === true ? undefined : kept;
    if (schema instanceof z.ZodLiteral) this.add(quoted(JSON.stringify([...schema.values][0])));
    else if (schema instanceof z.ZodObject) this.#object(schema, inner, key, isOptional(field), made);
    else if (schema instanceof z.ZodArray) this.#list(schema, inner, key, isOptional(field), made);
    else
      this.#scalar(
        scalarOf(schema, this.#code) as Scalar,
        kept !== undefined,
        key,
        isOptional(field) || this.#mayBeMissing,
        made,
      );
  }

  #object(schema: z.ZodObject, kept: Kept | undefined, key: string, optional: boolean, made: Made): void {
    const before = this.#mayBeMissing;
    this.#mayBeMissing ||= optional;
    const inner = this.object(schema, kept);
    this.#mayBeMissing = before;
    const named = rulesOf(schema, this.#code);
    if (kept === undefined) {
      if (named.length > 0) throw new Error(`the rules of ${key} need its fields to be kept`);
      return;
    }
    if (optional) throw new Error(`an optional object that is kept: ${key}`);
    const literal = `{ ${inner.fields.join(', ')} }`;
    made.statements.push(...inner.statements);
    if (named.length === 0) made.fields.push(`${key}: ${literal}`);
    else {
      made.statements.push(`const ${key} = ${literal};`);
      for (const rule of named) made.statements.push(`if (${rule}(${key}) !== undefined) return undefined;`);
      made.fields.push(key);
    }
  }

  #scalar(scalar: Scalar, isKept: boolean, key: string, optional: boolean, made: Made): void {
    const { before, source, after, accepts, kind, words } = scalar;
    if (!isKept && accepts.length === 0) {
      this.add(`${before}${source.includes('|') ? `(?:${source})` : source}${after}`);
      return;
    }
    if (words !== undefined && !optional) {
      made.fields.push(`${key}: ${this.word(words)}`);
      return;
    }
    this.add(`${before}(${source})${after}`);
    const group = this.group();
    for (const accept of accepts)
      this.condition(
        optional ? `(${group} === undefined || ${accept}(${group}))` : `${accept}(${group} as string)`,
      );
    if (isKept) made.fields.push(`${key}: ${this.#converted(kind, group, optional, words)}`);
  }

  #converted(kind: Scalar['kind'], group: string, optional: boolean, words: string[] = []): string {
    if (kind === 'text') return optional ? group : `${group} as string`;
    if (kind === 'word') return `${group} as ${words.map((word) => `'${word}'`).join(' | ')} | undefined`;
    if (!optional) return kind === 'whole' ? `Number(${group})` : `${group} === 'true'`;
    return `${this.#code.import('./text-pieces.ts', kind === 'whole' ? 'wholeOrNone' : 'flagOrNone')}(${group})`;
  }

  /** One of these words. The first one, which should be the most frequent, is not captured, which saves a substring. */
  word([first, ...others]: string[]): string {
    if (others.length === 0) {
      this.add(`"${quoted(first as string)}"`);
      return `'${first}'`;
    }
    this.add(`"(?:${quoted(first as string)}|(${others.map(quoted).join('|')}))"`);
    return `(${this.group()} ?? '${first}') as ${[first, ...others].map((word) => `'${word}'`).join(' | ')}`;
  }

  #list(schema: z.ZodArray, kept: Kept | undefined, key: string, optional: boolean, made: Made): void {
    const { min, max } = lengthsOf(schema);
    const name = `${this.#name}${key[0]?.toUpperCase()}${key.slice(1)}`;
    const type = `NonNullable<${this.#type}['${key}']>[number]`;
    const walk = new Walk(this.#code, name, type);
    const element = schema.element as z.ZodObject;
    const one = walk.object(element, kept);
    if (kept === undefined && walk.isPattern) {
      const pattern = walk.parts.join('');
      this.add(
        String.raw`\[(?:${pattern}(?:,${pattern}){${Math.max(0, min - 1)},${max - 1}})${min === 0 ? '?' : ''}\]`,
      );
      return;
    }
    if (kept === undefined)
      throw new Error(`the elements of ${key} can only be checked if some of their fields are kept`);
    takeList(this.#code, walk, { name, type, min, max, one });
    this.add(optional ? String.raw`(\[))?` : String.raw`\[`);
    this.end({ name, key, open: optional ? this.#piece.groups + 1 : undefined, min });
    made.fields.push(key);
  }
}

const indented = (lines: string[]): string[] => lines.map((line) => `  ${line}`);

/** The statements that read one piece. */
const takePiece = (walk: Walk, i: number, pattern: string): string[] => {
  const { conditions, list } = walk.pieces[i] as Piece;
  const found = `found${i + 1}`;
  const wrong = [`${found} === undefined`, ...conditions.map((condition) => `!${condition}`)];
  const lines = [`const ${found} = pieces.take(${pattern});`, `if (${wrong.join(' || ')}) return undefined;`];
  if (list === undefined) return lines;
  const { key, name, open } = list;
  if (open === undefined)
    return [...lines, `const ${key} = ${name}(pieces);`, `if (${key} === undefined) return undefined;`];
  return [
    ...lines,
    `const ${key} = ${found}[${open}] === undefined ? undefined : ${name}(pieces);`,
    `if (${key} === undefined && ${found}[${open}] !== undefined) return undefined;`,
  ];
};

const takeList = (
  code: Code,
  walk: Walk,
  { name, type, min, max, one }: { name: string; type: string; min: number; max: number; one: Made },
): void => {
  if (walk.pieces.length > 0) throw new Error(`a list inside the elements of a kept list: ${name}`);
  walk.end();
  code.piece(`${name}Piece`, walk.pieces[0] as Piece);
  code.functions.push(
    [
      `const ${name} = (pieces: TextPieces): ${type}[] | undefined => {`,
      `  const list: ${type}[] = [];`,
      `  if (pieces.closes()) return ${min === 0 ? 'list' : 'undefined'};`,
      `  while (list.length < ${max}) {`,
      ...indented(indented([...takePiece(walk, 0, `${name}Piece`), ...one.statements])),
      `    list.push({ ${one.fields.join(', ')} });`,
      '    if (pieces.closes()) return list;',
      '    if (!pieces.goesOn()) return undefined;',
      '  }',
      '  return undefined;',
      '};',
    ].join('\n'),
  );
};

/** A function that reads `data` and the end of the event behind it. */
const takeData = (code: Code, name: string, type: string, schema: z.ZodObject, kept: Kept): void => {
  const walk = new Walk(code, name, type);
  const { fields, statements } = walk.object(schema, kept);
  walk.add(String.raw`\}$`);
  walk.end();
  const lines = walk.pieces.flatMap((one, i) => {
    code.piece(`${name}Piece${i + 1}`, one);
    return takePiece(walk, i, `${name}Piece${i + 1}`);
  });
  code.functions.push(
    [
      `const ${name} = (pieces: TextPieces): ${type} | undefined => {`,
      ...indented([...lines, ...statements]),
      `  return { ${fields.join(', ')} };`,
      '};',
    ].join('\n'),
  );
};

type EventSchema = z.ZodObject<{ type: z.ZodLiteral<string>; data: z.ZodObject }>;

const [completed, voided, aborted, dayClosed] = posSchemas(z.strictObject);
const [movement, count] = stockSchemas(z.strictObject);
/** Events with the same shape differ in their rules. */
const shapes = [
  { name: 'transaction', type: 'StoredTransaction', schemas: [completed, voided], kept: keptOfTransaction },
  { name: 'aborted', type: 'StoredAborted', schemas: [aborted], kept: keptOfAborted },
  { name: 'dayClosed', type: 'StoredDayClosed', schemas: [dayClosed], kept: keptOfDayClosed },
  { name: 'movement', type: 'StoredMovement', schemas: [movement], kept: keptOfMovement },
  { name: 'count', type: 'StoredCount', schemas: [count], kept: keptOfCount },
] as unknown as { name: string; type: string; schemas: EventSchema[]; kept: Kept & { data: Kept } }[];

const caseOf = (code: Code, name: string, schema: EventSchema): string[] => {
  const { type, data } = schema.shape;
  const wrong = rulesOf(data, code).map((rule) => ` || ${rule}(data) !== undefined`);
  return [
    `case '${type.value}': {`,
    `  const data = ${name}(pieces);`,
    `  if (data === undefined${wrong.join('')}) return undefined;`,
    `  return { id, time, recordedtime, traceparent, type, data };`,
    '}',
  ];
};

/** Reads the attributes, then the data according to the type. All types have the same attributes and keep the same ones. */
const readEvent = (code: Code): string => {
  const walk = new Walk(code, 'envelope', '');
  const { data: _data, type: _type, ...attributes } = completed.shape;
  const { type: _kept, data: _keptData, ...kept } = keptOfTransaction;
  // The agent puts `recordedtime` first.
  const { fields, statements } = walk.object(z.strictObject(attributes), kept, ['recordedtime']);
  const { parts } = walk;
  parts[parts.length - 1] = (parts.at(-1) as string).replace(/\\\}$/, '');
  const types = shapes.flatMap(({ schemas }) => schemas.map(({ shape }) => shape.type.value));
  walk.add(',"type":');
  const type = walk.word(types);
  walk.add(',"data":');
  walk.end();
  code.piece('envelopePiece', walk.pieces[0] as Piece);
  const cases = shapes.flatMap(({ name, schemas }) =>
    schemas.flatMap((schema) => caseOf(code, name, schema)),
  );
  return [
    '/** Undefined if the text is not canonical or breaks a rule. The caller checks ids that derive from the data. */',
    'export const readCanonical = (text: string): StoredEvent | undefined => {',
    '  const pieces = new TextPieces(text);',
    ...indented([
      ...takePiece(walk, 0, 'envelopePiece'),
      ...statements,
      ...fields.map((field) => `const ${field.replace(':', ' =')};`),
      `const type = ${type};`,
      'switch (type) {',
      ...indented(cases),
      '}',
    ]),
    '};',
  ].join('\n');
};

export const generateReader = (): string => {
  const code = new Code();
  code.import('./text-pieces.ts', 'piece');
  code.import('./text-pieces.ts', 'TextPieces');
  for (const { name, type, schemas, kept } of shapes)
    takeData(code, name, `${type}['data']`, (schemas[0] as EventSchema).shape.data, kept.data);
  const main = readEvent(code);
  const imports = [...code.imports]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([module, names]) => `import { ${[...names].sort().join(', ')} } from '${module}';`);
  const types = ['StoredEvent', ...shapes.map(({ type }) => type)].sort();
  return `${[
    '// Generated from the schemas by testing/generate/stored-event.ts; do not edit. To bring it up to date:\n// npm test -- contracts/stored-event.test.ts -u',
    [...imports, `import type { ${types.join(', ')} } from './stored-fields.ts';`].join('\n'),
    ...code.patterns,
    ...code.functions,
    main,
  ].join('\n\n')}\n`;
};
