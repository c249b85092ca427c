import { expect, test } from 'vitest';
import { setInt16, setInt32, setInt64, setText, viewOf } from './binary.ts';
import { failureOf } from './errors.ts';

/** Written as PostgreSQL reads it, and nothing that would come out as another value. */
const written = (bytes: number, write: (view: DataView) => void): Buffer => {
  // In the middle of a larger one, as buffers of a pool are.
  const buffer = Buffer.alloc(bytes + 16).subarray(8, 8 + bytes);
  write(viewOf(buffer));
  return buffer;
};

test.each([0, 1, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 62])(
  '%d is written as eight bytes',
  (value) => {
    expect(written(8, (view) => setInt64(view, 0, value)).readBigInt64BE()).toBe(BigInt(value));
  },
);

test('the ends of the shorter numbers are written as they are', () => {
  for (const value of [2 ** 31 - 1, -(2 ** 31)])
    expect(written(4, (view) => setInt32(view, 0, value)).readInt32BE()).toBe(value);
  for (const value of [2 ** 15 - 1, -(2 ** 15)])
    expect(written(2, (view) => setInt16(view, 0, value)).readInt16BE()).toBe(value);
});

test.each([
  ['16 bits', setInt16, 2 ** 15],
  ['32 bits', setInt32, 2 ** 31],
  ['64 bits', setInt64, 2 ** 63],
  ['16 bits', setInt16, Number.NaN],
  ['32 bits', setInt32, 0.5],
  ['64 bits', setInt64, Number.NaN],
] as const)('what is no number of %s is refused as a fault of the data', (_, set, value) => {
  let thrown: unknown;
  try {
    written(8, (view) => set(view, 0, value));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(RangeError);
  expect(failureOf(thrown)).toBe('data');
});

test.each(['', 'EUR', 'Müller', 'naïve 店 🛒', '\0', 'half \ud83d of a pair'])(
  'the text %j is UTF-8',
  (text) => {
    const buffer = Buffer.alloc(3 * text.length + 4);
    const length = setText(buffer, 2, text);
    expect(buffer.subarray(2, 2 + length)).toEqual(Buffer.from(text));
  },
);
