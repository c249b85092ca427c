import type { Parcel } from '@branchline/bridge/core/parcel.ts';
import { headers } from '@branchline/contracts/topics.ts';
import { crc32c } from './crc32c.ts';

/**
 * Parcels as Kafka records, written straight from the inflated frames into one buffer: no object, string or small buffer
 * per event. Source: Apache Kafka documentation, "Message Format" (record batch, magic 2) and KIP-98.
 */

const batchHeaderBytes = 61;
const magic = 2;
const originKey = Buffer.from(headers.origin);

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

const encodedKey = (parcel: Parcel): Buffer => {
  if (parcel.from === undefined) return Buffer.from([1]);
  const key = Buffer.from(parcel.from.site);
  const out = Buffer.alloc(varintBytes(key.length) + key.length);
  writeBytes(out, 0, key);
  return out;
};

const encodedHeaders = (fixed: Record<string, string>): Buffer => {
  const parts = Object.entries(fixed).flatMap(([key, value]) => [Buffer.from(key), Buffer.from(value)]);
  const out = Buffer.alloc(parts.reduce((sum, part) => sum + varintBytes(part.length) + part.length, 5));
  let at = writeVarint(out, 0, parts.length / 2);
  for (const part of parts) at = writeBytes(out, at, part);
  return out.subarray(0, at);
};

/** Everything of an origin header but the seq and the length of the whole: one header, its key. */
const originHeaderStart = (() => {
  const out = Buffer.alloc(2 + originKey.length);
  writeBytes(out, writeVarint(out, 0, 1), originKey);
  return out;
})();

/** Writes the records of one parcel; `offsetDelta` is that of its first. Returns where it ended. */
const writeParcel = (out: Buffer, start: number, parcel: Parcel, offsetDelta: number): number => {
  const key = encodedKey(parcel);
  const fixed = parcel.origin === undefined ? encodedHeaders(parcel.headers ?? {}) : undefined;
  const prefix = Buffer.from(parcel.origin?.prefix ?? '');
  const { values } = parcel;
  let at = start;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as Uint8Array;
    const seq = (parcel.origin?.first ?? 0) + i;
    const digits = digitsOf(seq);
    const originBytes = prefix.length + digits;
    const headerBytes = fixed?.length ?? originHeaderStart.length + varintBytes(originBytes) + originBytes;
    const offset = offsetDelta + i;
    // Attributes and timestamp delta are one zero byte each: all records of a batch have its time.
    const body =
      2 + varintBytes(offset) + key.length + varintBytes(value.length) + value.length + headerBytes;

    at = writeVarint(out, at, body);
    out[at++] = 0;
    out[at++] = 0;
    at = writeVarint(out, at, offset);
    out.set(key, at);
    at = writeBytes(out, at + key.length, value);
    if (fixed !== undefined) {
      out.set(fixed, at);
      at += fixed.length;
    } else {
      out.set(originHeaderStart, at);
      at = writeVarint(out, at + originHeaderStart.length, originBytes);
      out.set(prefix, at);
      writeDigits(out, at + prefix.length, seq, digits);
      at += originBytes;
    }
  }
  return at;
};

/** The records section of a batch, and how many records there are. A parcel's `bytes` are never less than it needs. */
export const encodeRecords = (parcels: Parcel[]): { records: Buffer; count: number } => {
  const out = Buffer.allocUnsafe(parcels.reduce((sum, parcel) => sum + parcel.bytes, 0));
  let at = 0;
  let count = 0;
  for (const parcel of parcels) {
    at = writeParcel(out, at, parcel, count);
    count += parcel.values.length;
  }
  return { records: out.subarray(0, at), count };
};

/** One record batch of a producer that is neither idempotent nor transactional. `codec` is 0 for none, 1 gzip, 4 zstd. */
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
