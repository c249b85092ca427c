import { isProblem, type Problem } from '@branchline/contracts/errors.ts';
import { changedEvent, validEvents } from '@branchline/contracts/fixtures/changed-events.ts';
import { parseAtIntake, parseForBooks } from '@branchline/contracts/parse.ts';
import { readScaleLabels, type ScaleLabel } from '@branchline/contracts/scale-label.ts';
import { readStored } from '@branchline/contracts/stored-event.ts';
import { type Judged, judgeBody } from '@branchline/edge-agent/core/judge.ts';
import { type Entry, readEntry } from '@branchline/hub/ledger/books/entry.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** Hostile bytes at both ends: whatever the agent takes, the hub reads, and its two readers agree. */

const scaleLabels = readScaleLabels('2[0-9] IIIII WWWWW C') as ScaleLabel[];
const acceptedAt = Date.UTC(2026, 10, 23, 9, 15);

const siteOf = (text: string): string => /"storeId":\s*"([^"]*)"/.exec(text)?.[1] ?? 'store-0001';

const judged = (text: string): Judged[] | Problem => {
  const result = judgeBody(
    Buffer.from(text),
    { site: siteOf(text), eventBytesMax: 65_536, scaleLabels },
    acceptedAt,
  );
  return isProblem(result) ? result : result.items;
};

const source = (site: string, stream: 'pos' | 'stock') => ({ site, agent: 'edge-1', stream, epoch: 'e' });

/** What the hub makes of a record's text. Both readers must agree wherever the fast one answers. */
const entryOf = (text: string, stream: 'pos' | 'stock' = 'pos'): Entry | Problem => {
  const entry = readEntry(Buffer.from(text), source(siteOf(text), stream));
  const stored = readStored(text);
  if (stored !== undefined) {
    const parsed = parseForBooks(JSON.parse(text));
    expect(isProblem(parsed), text).toBe(false);
    // The blank in front leaves only the slow reader able to read it.
    const slow = readEntry(Buffer.from(` ${text}`), source(siteOf(text), stream));
    expect(slow, text).toEqual(entry);
  }
  return entry;
};

/** Whether the agent takes the body; what it takes, the hub applies. */
const isTaken = (text: string): boolean => {
  const items = judged(text);
  if (isProblem(items)) return false;
  return items
    .map((item) => {
      if (!('event' in item)) return false;
      const entry = entryOf(item.event.text, item.event.stream);
      expect(isProblem(entry) ? entry : undefined, item.event.text).toBeUndefined();
      return true;
    })
    .every(Boolean);
};

const texts = validEvents.map((event) => JSON.stringify(event));
const completed = texts.find((text) => text.includes('Coffee')) as string;

describe.each([
  ['a duplicate key', (text: string) => text.replace('"lineNumber":1', '"lineNumber":7,"lineNumber":1')],
  ['a duplicate list', (text: string) => text.replace('"lines":[', '"lines":[],"lines":[')],
  ['an escaped key', (text: string) => text.replace('"id":', '"\\u0069d":')],
  ['an escaped letter in a value', (text: string) => text.replace('"EUR"', '"\\u0045UR"')],
  ['an escaped solidus', (text: string) => text.replace('application/json', 'application\\/json')],
  ['a number with an exponent', (text: string) => text.replace('"lineNumber":1,', '"lineNumber":1e0,')],
  [
    'a number with a fraction of zero',
    (text: string) => text.replace('"lineNumber":1,', '"lineNumber":1.0,'),
  ],
  ['minus zero', (text: string) => text.replace('"discountAmount":0', '"discountAmount":-0')],
  ['blanks everywhere', (text: string) => JSON.stringify(JSON.parse(text), null, '\r\n\t ')],
])('%s', (_, change) => {
  test('is taken, and the books read what the agent stored', () => {
    expect(change(completed)).not.toBe(completed);
    expect(isTaken(change(completed))).toBe(true);
    // As another producer's record it is read by the slow reader, or as the oracle reads it.
    expect(isProblem(entryOf(change(completed)))).toBe(false);
  });
});

describe.each([
  ['a byte order mark', (text: string) => `\ufeff${text}`],
  ['a lone surrogate', (text: string) => text.replace('Coffee', '\\ud83c')],
  ['an escaped NUL', (text: string) => text.replace('Coffee', '\\u0000')],
  ['a raw NUL', (text: string) => text.replace('Coffee', '\u0000')],
  ['a raw line feed', (text: string) => text.replace('Coffee', '\n')],
  ['a number beyond all numbers', (text: string) => text.replace('"gross":', '"gross":1e999,"x":')],
  [
    'an amount of twenty digits',
    (text: string) => text.replace('"extendedAmount":', '"extendedAmount":1234567890123456'),
  ],
  ['a leading zero', (text: string) => text.replace('"lineNumber":1,', '"lineNumber":01,')],
  ['a plus sign', (text: string) => text.replace('"lineNumber":1,', '"lineNumber":+1,')],
  ['a hexadecimal number', (text: string) => text.replace('"lineNumber":1,', '"lineNumber":0x1,')],
  ['a comma too many', (text: string) => text.replace('"lines":[', '"lines":[,')],
  ['an end that is cut off', (text: string) => text.slice(0, -3)],
  ['text behind the end', (text: string) => `${text}}`],
  ['a second event behind the first', (text: string) => `${text}${text}`],
  ['thousands of brackets', (text: string) => text.replace('"lines":[', `"lines":${'['.repeat(20_000)}`)],
  [
    'deep fiscal data',
    (text: string) => text.replace('"fiscal":{', `"fiscal":{"d":${'['.repeat(40)}${']'.repeat(40)},`),
  ],
  ['digits that are not ASCII', (text: string) => text.replace('"quantity":"2"', '"quantity":"\u0662"')],
  ['a full-width letter in a key', (text: string) => text.replace('"lines"', '"lines\uff41"')],
  [
    'a field of the prototype',
    (text: string) => text.replace('"currency":', '"__proto__":{"training":true},"currency":'),
  ],
])('bad input: %s', (_, change) => {
  test('is refused by the agent, and the hub never reads it otherwise than JSON does', () => {
    expect(change(completed)).not.toBe(completed);
    expect(isTaken(change(completed))).toBe(false);
    entryOf(change(completed));
  });
});

test('bad input: UTF-8 that is cut within a character is refused by the agent, and read alike by both ways of the hub', () => {
  const whole = Buffer.from(completed.replace('Coffee', 'Kaffee \u{1f375}'));
  const at = whole.indexOf(Buffer.from('\u{1f375}'));
  for (const cut of [1, 2, 3]) {
    const bytes = Buffer.concat([whole.subarray(0, at + cut), whole.subarray(at + 4)]);
    const rules = { site: 'store-0001', eventBytesMax: 65_536, scaleLabels };
    expect(judgeBody(bytes, rules, acceptedAt)).toMatchObject({ code: 'not-json' });
    const read = (before: string) =>
      readEntry(Buffer.concat([Buffer.from(before), bytes]), source('store-0001', 'pos'));
    expect(read('')).toEqual(read(' '));
  }
});

/** Spellings of the same JSON, and damage. */
const twist = fc.constantFrom<(text: string, at: number) => string>(
  (text) => JSON.stringify(JSON.parse(text), null, 1),
  (text, at) => {
    const letters = [...text.matchAll(/[a-z](?=[^"\\]*":)/g)];
    const { index = 0 } = letters[at % letters.length] ?? {};
    const code = text.charCodeAt(index).toString(16).padStart(4, '0');
    return `${text.slice(0, index)}\\u${code}${text.slice(index + 1)}`;
  },
  (text, at) => {
    const numbers = [...text.matchAll(/(?<=[:[,])-?\d+(?=[,\]}])/g)];
    const { index = 0, 0: number = '' } = numbers[at % Math.max(1, numbers.length)] ?? {};
    const spelt = [
      `${number}.0`,
      `${number}e0`,
      `${number}0e-1`,
      `${number}00000000000000000000`,
      '-0',
      '1e400',
    ];
    return `${text.slice(0, index)}${spelt[at % spelt.length]}${text.slice(index + number.length)}`;
  },
  (text, at) => {
    const fields = [...text.matchAll(/"[a-zA-Z]+":(?:"[^"]*"|-?\d+|true|false)/g)];
    const { index = 0, 0: field = '' } = fields[at % fields.length] ?? {};
    return `${text.slice(0, index)}${field},${text.slice(index)}`;
  },
  (text, at) => text.slice(0, at % text.length),
  (text, at) => `${text.slice(0, at % text.length)}\u0000${text.slice(at % text.length)}`,
  (text, at) => `${text.slice(0, at % text.length)}\\ud800${text.slice(at % text.length)}`,
  (text, at) =>
    text.replaceAll(/[aeiou](?=[^"]*"[,}])/g, (letter) => (at % 3 === 0 ? `${letter}\u0301` : letter)),
);

test('whatever the agent takes of hostile text, the hub applies, and both of its ways of reading agree', () => {
  let taken = 0;
  fc.assert(
    fc.property(changedEvent, fc.array(fc.tuple(twist, fc.nat()), { maxLength: 2 }), (event, twists) => {
      let text = JSON.stringify(event);
      for (const [change, at] of twists)
        try {
          text = change(text, at);
        } catch {
          // Already damaged: it cannot be parsed and laid out differently.
        }
      entryOf(text);
      if (isTaken(text)) taken++;
    }),
    { numRuns: 8_000 },
  );
  expect(taken).toBeGreaterThan(500);
});

test('an event that the intake parses comes out of the stored text as the parser gave it', () => {
  for (const text of texts) {
    const parsed = parseAtIntake(JSON.parse(text));
    const [item] = judged(text) as [Judged];
    if (isProblem(parsed) || !('event' in item)) throw new Error(text);
    const { recordedtime, ...stored } = JSON.parse(item.event.text);
    expect(recordedtime).toBe('2026-11-23T09:15:00.000Z');
    expect({ dataclassification: stored.dataclassification, ...JSON.parse(JSON.stringify(parsed)) }).toEqual({
      ...stored,
      ...(parsed.recordedtime === undefined ? {} : { recordedtime: parsed.recordedtime }),
    });
  }
});
