import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fiscalLosses, type Loss } from './json-losses.ts';

const jsonLosses = (text: string): readonly (Loss | undefined)[] => {
  const value = JSON.parse(text);
  return fiscalLosses(text, Array.isArray(value) ? value : [value]);
};
const lossOf = (fiscal: string) => jsonLosses(`{"id":"a","data":{"fiscal":${fiscal},"currency":"EUR"}}`)[0];

test.each([
  ['9007199254740993', '9007199254740992'],
  ['19.00', '19'],
  ['1e3', '1000'],
  ['-0', '0'],
  ['0.1000', '0.1'],
  ['12345678901234567890', '12345678901234567000'],
  ['1e999', 'null'],
  ['0.12345678901234567', '0.12345678901234566'],
])('the number %s would become %s', (number, kept) => {
  expect(lossOf(`{"tse": [ {"counter" : ${number} } ]}`)).toEqual({
    path: 'data.fiscal.tse.0.counter',
    detail: `the number ${number} would become ${kept}`,
  });
});

test('duplicate fields and fields called __proto__ are losses, however they are spelt', () => {
  expect(lossOf('{"a":{"b":1,"\\u0062":1}}')).toMatchObject({ path: 'data.fiscal.a.b' });
  expect(lossOf('{"a":1,"a":1}')).toMatchObject({ path: 'data.fiscal.a' });
  expect(lossOf('{"__pr\\u006fto__":1}')).toMatchObject({ path: 'data.fiscal.__proto__' });
  expect(lossOf('{"a":{"b":1},"b":1,"c":[{"b":1},{"b":1}]}')).toBeUndefined();
});

test('outside fiscal data nothing is a loss, and every event of a request has its own result', () => {
  const events = [
    // The schema refuses a __proto__ here.
    '{"data":{"totals":{"gross":19.00,"gross":1e3}}}',
    '{"data":{"fiscal":{"rate":7.10}}}',
    '{"data":{"__proto__":1}}',
    'null',
    '{"fiscal":{"rate":7.10}}',
    '[[{"data":{"fiscal":1.0}}],"{\\"",{}]',
  ];
  expect(jsonLosses(` [ ${events.join(' ,\n')} ] `).map((loss) => loss?.path)).toEqual([
    undefined,
    'data.fiscal.rate',
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(jsonLosses('[]')).toEqual([]);
  // The same value, spelt once as JSON.stringify does and once differently.
  const [kept, lost] = ['{"data":{"fiscal":{"rate":7.1}}}', '{"data":{"fiscal":{"rate":7.10}}}'];
  for (const text of [`[${kept},${lost}]`, `[${lost},${kept}]`, `[${kept},${lost},${kept}]`])
    expect(jsonLosses(text).filter((loss) => loss !== undefined)).toHaveLength(1);
  expect(jsonLosses('{"data":{"fiscal":{"a":7.10},"fiscal":{"a":7.1}}}')).not.toEqual([]);
});

test('what JSON.stringify has written is never a loss, in any layout', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      fc.constantFrom(undefined, 1, '\t', '\r\n '),
      (value, indent) => {
        const event = { data: { fiscal: { value }, note: 'x"\\' } };
        const text = JSON.stringify(event);
        if (text.includes('"__proto__":')) return;
        const losses = jsonLosses(JSON.stringify([event, event], null, indent));
        expect(losses.filter((loss) => loss !== undefined)).toEqual([]);
      },
    ),
    { numRuns: 2_000 },
  );
});
