import { crc32c } from './crc32c.ts';

/**
 * Writes Kafka record batches straight from the values into one buffer: no object, string or small buffer per record.
 * Source: Apache Kafka documentation, "Message Format" (record batch, magic 2) and KIP-98.
 */
export type RecordGroup = {
  /** The key of every record; undefined for records without one. */
  key: string | undefined;
  values: readonly Uint8Array[];
  /** Headers that every record carries. */
  headers: Readonly<Record<string, string>>;
  /** One more header, which counts: record i has `prefix` followed by the decimal number `first + i`. */
  counted?: { name: string; prefix: string; first: number };
};

const batchHeaderBytes = 61;
const magic = 2;

/** Zigzag, 7 bits a byte, least significant first. */
const writeVarint = (out: Buffer, at: number, value: number): number => {
  let rest = value << 1;
  let next = at;
  while (rest > 0x7f) {
    out[next++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[next++] = rest;
  return next;
};

const varintBytes = (value: number): number =>
  value < 64 ? 1 : value < 8192 ? 2 : value < 1_048_576 ? 3 : value < 134_217_728 ? 4 : 5;

const writeBytes = (out: Buffer, at: number, bytes: Uint8Array): number => {
  const start = writeVarint(out, at, bytes.length);
  out.set(bytes, start);
  return start + bytes.length;
};

const digitsOf = (n: number): number => {
  let digits = 1;
  for (let limit = 10; n >= limit; limit *= 10) digits++;
  return digits;
};

const writeDigits = (out: Buffer, at: number, n: number, digits: number): void => {
  let rest = n;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    out[i] = 48 + rest - tenth * 10;
    rest = tenth;
  }
};

/** The key with its length; Kafka's length of "no key" is -1, a single 1 in zigzag. */
const encodedKey = (text: string | undefined): Buffer => {
  if (text === undefined) return Buffer.from([1]);
  const key = Buffer.from(text);
  const out = Buffer.alloc(varintBytes(key.length) + key.length);
  writeBytes(out, 0, key);
  return out;
};

/** The number of headers, those that are the same for all records, and the name of the one that counts. */
const encodedHeaders = ({ headers, counted }: RecordGroup): Buffer => {
  const texts = Object.entries(headers).flat();
  if (counted !== undefined) texts.push(counted.name);
  const chunks = texts.map((text) => Buffer.from(text));
  const out = Buffer.alloc(chunks.reduce((sum, chunk) => sum + varintBytes(chunk.length) + chunk.length, 5));
  let at = writeVarint(out, 0, (texts.length + 1) >> 1);
  for (const chunk of chunks) at = writeBytes(out, at, chunk);
  return out.subarray(0, at);
};

type Encoded = { group: RecordGroup; key: Buffer; headers: Buffer; prefix: Buffer; bytesMax: number };

/** Record length, offset delta, value length and length of the counting header, each as long as a varint can be. */
const varintsBytesMax = 4 * 5;
const safeIntegerDigits = 16;

const encodeShared = (group: RecordGroup): Encoded => {
  const key = encodedKey(group.key);
  const headers = encodedHeaders(group);
  const prefix = Buffer.from(group.counted?.prefix ?? '');
  const perRecord = 2 + varintsBytesMax + key.length + headers.length + prefix.length + safeIntegerDigits;
  const bytesMax = group.values.reduce((sum, value) => sum + value.length + perRecord, 0);
  return { group, key, headers, prefix, bytesMax };
};

/** Writes the records of one group; `offsetDelta` is that of its first. Returns where it ended. */
const writeGroup = (
  out: Buffer,
  start: number,
  { group, key, headers, prefix }: Encoded,
  offsetDelta: number,
): number => {
  const { values, counted } = group;
  let at = start;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as Uint8Array;
    const number = (counted?.first ?? 0) + i;
    const digits = digitsOf(number);
    const textBytes = prefix.length + digits;
    const countedBytes = counted === undefined ? 0 : varintBytes(textBytes) + textBytes;
    const offset = offsetDelta + i;
    // Attributes and timestamp delta are one zero byte each: all records of a batch have its time.
    const body =
      2 +
      varintBytes(offset) +
      key.length +
      varintBytes(value.length) +
      value.length +
      headers.length +
      countedBytes;

    at = writeVarint(out, at, body);
    out[at++] = 0;
    out[at++] = 0;
    at = writeVarint(out, at, offset);
    out.set(key, at);
    at = writeBytes(out, at + key.length, value);
    out.set(headers, at);
    at += headers.length;
    if (counted === undefined) continue;
    at = writeVarint(out, at, textBytes);
    out.set(prefix, at);
    writeDigits(out, at + prefix.length, number, digits);
    at += textBytes;
  }
  return at;
};

/** The records section of a batch, and how many records there are. */
export const encodeRecords = (groups: readonly RecordGroup[]): { records: Buffer; count: number } => {
  const encoded = groups.map(encodeShared);
  const out = Buffer.allocUnsafe(encoded.reduce((sum, { bytesMax }) => sum + bytesMax, 0));
  let at = 0;
  let count = 0;
  for (const group of encoded) {
    at = writeGroup(out, at, group, count);
    count += group.group.values.length;
  }
  return { records: out.subarray(0, at), count };
};

/** One record batch of a producer that is neither idempotent nor transactional. `codec` says how `records` are compressed. */
export const recordBatch = (
  { records, count }: { records: Uint8Array; count: number },
  { now, codec }: { now: number; codec: number },
): Buffer => {
  const out = Buffer.allocUnsafe(batchHeaderBytes + records.length);
  out.writeBigInt64BE(0n, 0);
  out.writeInt32BE(out.length - 12, 8);
  out.writeInt32BE(0, 12);
  out.writeInt8(magic, 16);
  out.writeInt16BE(codec, 21);
  out.writeInt32BE(count - 1, 23);
  out.writeBigInt64BE(BigInt(now), 27);
  out.writeBigInt64BE(BigInt(now), 35);
  out.writeBigInt64BE(-1n, 43);
  out.writeInt16BE(0, 51);
  out.writeInt32BE(0, 53);
  out.writeInt32BE(count, 57);
  out.set(records, batchHeaderBytes);
  out.writeUInt32BE(crc32c(out.subarray(21)), 17);
  return out;
};
