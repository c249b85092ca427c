/** Values in PostgreSQL's binary format, written in place. Buffer's own methods check their arguments for each of an event's fifty values. */

const two32 = 0x1_0000_0000;

export const viewOf = (buffer: Buffer): DataView =>
  new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);

/** With Buffer's error code, which `failureOf` classifies as `data`. */
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

/** A whole number in eight bytes; above 2^53 as precisely as a double holds it. */
export const setInt64 = (view: DataView, at: number, value: number): void => {
  // The upper half rounds down, for negative numbers too; the lower half is the remainder modulo 2^32.
  const upper = Math.floor(value / two32);
  if (upper !== (upper | 0)) throw outOfRange(value, 64);
  view.setInt32(at, upper);
  view.setInt32(at + 4, value | 0);
};

/** Writes UTF-8 at `at`, where there must be room for three bytes per UTF-16 unit. Returns the bytes written. */
export const setText = (buffer: Buffer, at: number, text: string): number => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return buffer.write(text, at);
    buffer[at + i] = code;
  }
  return text.length;
};
