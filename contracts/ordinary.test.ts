import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { transaction } from './fixtures/ordinary-transaction.ts';
import { ordinaryTransaction } from './ordinary.ts';
import { posSchemas } from './pos.ts';

/** The schemas are the oracle: the short way may say no to anything, and yes only to what they accept, with their result. */
const [strict] = posSchemas(z.strictObject);
const [tolerant] = posSchemas(z.object as unknown as typeof z.strictObject);

const full = JSON.parse(
  readFileSync(new URL('./fixtures/v1/pos.transaction.completed.json', import.meta.url), 'utf8'),
);

const agrees = (value: object): void => {
  const short = ordinaryTransaction(structuredClone(value));
  if (short === undefined) return;
  for (const schema of [strict, tolerant]) {
    const long = schema.safeParse(value);
    expect(long.success, JSON.stringify(value)).toBe(true);
    expect(JSON.stringify(short)).toBe(JSON.stringify(long.data));
  }
};

test('an ordinary transaction goes the short way, with every field that it may have', () => {
  for (const lines of [0, 1, 7]) {
    expect(ordinaryTransaction(transaction(lines))).toBeDefined();
    agrees(transaction(lines));
  }
});

test('what is rare goes to the schemas', () => {
  for (const key of ['subject', 'dataregulation', 'unheard']) {
    expect(ordinaryTransaction({ ...transaction(1), [key]: 'x' })).toBeUndefined();
  }
  const { data } = transaction(1);
  for (const extra of [{ customer: {} }, { fiscal: {} }, { references: [] }]) {
    expect(ordinaryTransaction({ ...transaction(1), data: { ...data, ...extra } })).toBeUndefined();
  }
  agrees(full);
});

/** Every place in the event, as a path. */
const pathsOf = (value: unknown, path: (string | number)[] = []): (string | number)[][] =>
  typeof value !== 'object' || value === null
    ? [path]
    : [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];

const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    '',
    '-1',
    '1e3',
    '0.0001',
    '-0',
    '2026-02-30',
    '2026-11-23',
    '2026-11-23T10:15:00Z',
    '2026-11-23T10:15:00',
    'eur',
    'SALE',
    'RETURN',
    'internal',
    '04006381333932',
    '\u0000',
    'x'.repeat(65),
    'x'.repeat(201),
    'ü',
    -0,
    0,
    -1,
    1.5,
    2 ** 53,
    1e12,
    [],
    {},
    [{}],
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

const change = fc.record({
  at: fc.nat(),
  how: fc.constantFrom('replace', 'remove', 'add', 'turn', 'double'),
  key: fc.constantFrom('voided', 'gln', 'subject', 'net', 'amount', '__proto__', 'uom', 'returnReason'),
  value: odd,
});

/** One change to an event at a place that the number chooses. */
const changed = (
  event: object,
  { at, how, key, value }: { at: number; how: string; key: string; value: unknown },
) => {
  const paths = pathsOf(event).filter((path) => path.length > 0);
  const path = paths[at % paths.length] as (string | number)[];
  const last = path.at(-1) as string;
  // biome-ignore lint/suspicious/noExplicitAny: the change is made to whatever stands at that place
  const parent: any = path.slice(0, -1).reduce((inner: any, step) => inner?.[step], event);
  if (typeof parent !== 'object' || parent === null) return;
  if (how === 'replace') parent[last] = value;
  else if (how === 'remove' && Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (how === 'remove') delete parent[last];
  else if (how === 'double' && Array.isArray(parent)) parent.push(structuredClone(parent[Number(last)]));
  else if (how === 'add' && !Array.isArray(parent))
    Object.defineProperty(parent, key, { value, enumerable: true, writable: true, configurable: true });
  else if (how === 'turn' && !Array.isArray(parent)) {
    const kept = parent[last];
    delete parent[last];
    parent[last] = kept;
  }
};

test('it says yes only to what the schemas accept, and gives what they give', () => {
  let yes = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat({ max: 3 }), (changes, lines) => {
      const made = transaction(lines);
      for (const one of changes) changed(made, structuredClone(one));
      // Events come out of JSON.parse, which makes plain objects only.
      const event = JSON.parse(JSON.stringify(made));
      if (ordinaryTransaction(structuredClone(event)) !== undefined) yes++;
      agrees(event);
    }),
    { numRuns: 5_000 },
  );
  expect(yes).toBeGreaterThan(50);
});
