/**
 * Values in PostgreSQL's binary form, written in place. The methods of Buffer check their arguments for every value, and
 * an event has fifty.
 */

const two32 = 0x1_0000_0000;

export const viewOf = (buffer: Buffer): DataView =>
  new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** As Buffer refuses it, with its code: `failureOf` takes it for the event's trouble, not the database's. */
const outOfRange = (value: number, bits: number): RangeError =>
  Object.assign(new RangeError(`${value} is no whole number of ${bits} bits`), { code: 'ERR_OUT_OF_RANGE' });

export const setInt16 = (view: DataView, at: number, value: number): void => {
  if (value !== (value << 16) >> 16) throw outOfRange(value, 16);
  view.setInt16(at, value);
};

export const setInt32 = (view: DataView, at: number, value: number): void => {
  if (value !== (value | 0)) throw outOfRange(value, 32);
  view.setInt32(at, value);
};

/** A whole number as eight bytes; above 2^53 as near as a double comes. */
export const setInt64 = (view: DataView, at: number, value: number): void => {
  // The upper half rounds down also for negative numbers; the lower half is the rest modulo 2^32.
  const upper = Math.floor(value / two32);
  if (upper !== (upper | 0)) throw outOfRange(value, 64);
  view.setInt32(at, upper);
  view.setInt32(at + 4, value | 0);
};

/** UTF-8 at `at`, where there is room for three bytes per UTF-16 unit; gives the number of bytes written. */
export const setText = (buffer: Buffer, at: number, text: string): number => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return buffer.write(text, at);
    buffer[at + i] = code;
  }
  return text.length;
};
