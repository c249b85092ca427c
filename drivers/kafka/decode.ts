import { crc32c } from './crc32c.ts';
import type { LogRecord } from './record.ts';

/**
 * Reads Kafka's record batches in place: a record is a position in the fetched bytes, and its value and headers are
 * sliced when somebody asks for them. Source: Apache Kafka documentation, "Message Format" (magic 2).
 */
export type RecordBatch = {
  baseOffset: number;
  lastOffset: number;
  /** Milliseconds since 1970. */
  baseTimestamp: number;
  /** Set when the broker stamped the records as it appended them (LogAppendTime): the time of all of them. */
  appendedAt: number | undefined;
  count: number;
  /** Decompressed. */
  records: Buffer;
};

/** What a batch says of itself before its records are decompressed. */
export type BatchHeader = Omit<RecordBatch, 'records'> & {
  /** The number in the attributes; `compression.ts` names them. */
  codec: number;
  control: boolean;
  inTransaction: boolean;
  producerId: bigint;
  /** As they were stored. */
  stored: Buffer;
  crc: number;
  /** What the checksum covers: everything that the producer wrote, and the broker's append time. */
  covered: Buffer;
};

const headerBytes = 61;
const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;
/** Offset and length come first, and the length does not count them. */
const prefixBytes = 12;
const attributes = { codec: 0x07, appendTime: 0x08, transactional: 0x10, control: 0x20 };

/** The batches of a fetched record set, without a last one that was cut off because the fetch was full. */
export const batchHeaders = (bytes: Buffer): BatchHeader[] => {
  const found: BatchHeader[] = [];
  let at = 0;
  while (bytes.length - at >= headerBytes) {
    const end = at + prefixBytes + bytes.readInt32BE(at + 8);
    const magic = bytes.readInt8(at + magicAt);
    if (magic !== 2) throw new Error(`cannot read record batches of magic ${magic}, only those of magic 2`);
    if (end < at + headerBytes) throw new Error('a record batch is shorter than its header');
    if (end > bytes.length) break;
    const baseOffset = Number(bytes.readBigInt64BE(at));
    const flags = bytes.readInt16BE(at + attributesAt);
    found.push({
      baseOffset,
      lastOffset: baseOffset + bytes.readInt32BE(at + 23),
      baseTimestamp: Number(bytes.readBigInt64BE(at + 27)),
      appendedAt: (flags & attributes.appendTime) === 0 ? undefined : Number(bytes.readBigInt64BE(at + 35)),
      count: bytes.readInt32BE(at + 57),
      codec: flags & attributes.codec,
      control: (flags & attributes.control) !== 0,
      inTransaction: (flags & attributes.transactional) !== 0,
      producerId: bytes.readBigInt64BE(at + 43),
      stored: bytes.subarray(at + headerBytes, end),
      crc: bytes.readUInt32BE(at + crcAt),
      covered: bytes.subarray(at + attributesAt, end),
    });
    at = end;
  }
  return found;
};

/** Whether the bytes are those that Kafka was given: decompressors notice few changes of their input. */
export const isIntact = ({ crc, covered }: Pick<BatchHeader, 'crc' | 'covered'>): boolean =>
  crc32c(covered) === crc;

/** A reader of varints: zigzag, seven bits a byte, least significant first. */
class Cursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Up to 32 bits: lengths and offset deltas. */
  varint(): number {
    const { bytes } = this;
    let at = this.at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('a record extends beyond its batch');
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    this.at = at;
    return (value >>> 1) ^ -(value & 1);
  }

  /** Up to 2^53: timestamp deltas. */
  varlong(): number {
    const { bytes } = this;
    let at = this.at;
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('a record extends beyond its batch');
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) break;
    }
    this.at = at;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A length and as many bytes; undefined for Kafka's null, whose length is -1. */
  chunk(): Buffer | undefined {
    const length = this.varint();
    if (length < 0) return undefined;
    const start = this.at;
    this.at = start + length;
    return this.bytes.subarray(start, this.at);
  }
}

const nothing = Buffer.alloc(0);

class FetchedRecord implements LogRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly size: number;
  readonly #bytes: Buffer;
  readonly #valueAt: number;

  constructor(offset: number, timestamp: number, size: number, bytes: Buffer, valueAt: number) {
    this.offset = offset;
    this.timestamp = timestamp;
    this.size = size;
    this.#bytes = bytes;
    this.#valueAt = valueAt;
  }

  get value(): Buffer {
    return this.size === 0 ? nothing : this.#bytes.subarray(this.#valueAt, this.#valueAt + this.size);
  }

  /** A repeated name gets a list, and a value may be null: the reader has to refuse both. */
  get headers(): LogRecord['headers'] {
    const cursor = new Cursor(this.#bytes, this.#valueAt + this.size);
    const headers: Record<string, unknown> = {};
    for (let left = cursor.varint(); left > 0; left--) {
      const name = (cursor.chunk() ?? nothing).toString('utf8');
      const value = cursor.chunk();
      headers[name] = Object.hasOwn(headers, name) ? [headers[name], value].flat() : value;
    }
    return headers as LogRecord['headers'];
  }
}

/** The key of the first record; in a control batch it tells a commit from an abort. */
export const firstKey = ({ count, records }: Pick<RecordBatch, 'count' | 'records'>): Buffer | null => {
  if (count === 0) return null;
  const cursor = new Cursor(records, 0);
  cursor.varint();
  cursor.at += 1;
  cursor.varlong();
  cursor.varint();
  return cursor.chunk() ?? null;
};

export const recordsOf = ({
  baseOffset,
  baseTimestamp,
  appendedAt,
  count,
  records,
}: RecordBatch): LogRecord[] => {
  const cursor = new Cursor(records, 0);
  const found: LogRecord[] = [];
  for (let i = 0; i < count; i++) {
    const length = cursor.varint();
    const end = cursor.at + length;
    if (length < 0 || end > records.length) throw new Error('a record extends beyond its batch');
    // One byte of attributes, which Kafka does not use.
    cursor.at += 1;
    const timestamp = baseTimestamp + cursor.varlong();
    const offset = baseOffset + cursor.varint();
    const keyLength = cursor.varint();
    cursor.at += Math.max(0, keyLength);
    const size = Math.max(0, cursor.varint());
    found.push(new FetchedRecord(offset, appendedAt ?? timestamp, size, records, cursor.at));
    cursor.at = end;
  }
  return found;
};
