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

/** More than any broker can reasonably be configured to take in one batch (`max.message.bytes`). */
const batchBytesMax = 128 * 1024 * 1024;
/**
 * Tiny records can turn a small batch into millions of objects. The limit is 16 times what fits in 1 MiB of the smallest
 * events.
 */
const batchRecordsMax = 500_000;
/** Attributes, two deltas, and the lengths of key, value and headers: one byte each. */
const recordBytesMin = 6;
/** The range of a Date, in milliseconds either side of 1970. */
const timeMax = 8_640_000_000_000_000;

/**
 * The range in which batches can lie: from the requested offset `from` to before `end`, the offset of the next record to be
 * written. No checksum covers a batch's own offset.
 */
export type LogRange = { from: number; end: number };

const headerAt = (bytes: Buffer, at: number, end: number): BatchHeader => {
  const baseOffset = Number(bytes.readBigInt64BE(at));
  const flags = bytes.readInt16BE(at + attributesAt);
  return {
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
  };
};

/** Batches follow one another; a wrong offset would make the reader skip records or take them twice. */
const checkOffsets = ({ baseOffset, lastOffset }: BatchHeader, { from, end }: LogRange): void => {
  if (baseOffset < 0 || lastOffset < baseOffset || !Number.isSafeInteger(lastOffset))
    throw new Error(`a record batch says that it holds offsets ${baseOffset} to ${lastOffset}`);
  if (lastOffset < from)
    throw new Error(`a record batch with offsets ${baseOffset} to ${lastOffset} comes where ${from} is next`);
  if (lastOffset >= end)
    throw new Error(
      `a record batch with offsets ${baseOffset} to ${lastOffset} lies beyond the log's end at ${end}`,
    );
};

/**
 * The batches of a fetched record set, one by one, without a last one that was cut off because the fetch was full. Throws at
 * bytes that are not a batch, after yielding the batches before them.
 */
export function* batchesIn(bytes: Buffer, range: LogRange): Generator<BatchHeader> {
  let { from } = range;
  for (let at = 0; bytes.length - at > magicAt; ) {
    const magic = bytes.readInt8(at + magicAt);
    if (magic !== 2) throw new Error(`cannot read record batches of magic ${magic}, only those of magic 2`);
    const end = at + prefixBytes + bytes.readInt32BE(at + 8);
    if (end < at + headerBytes) throw new Error('a record batch is shorter than its header');
    if (end - at > batchBytesMax) throw new Error(`a record batch says that it has ${end - at} bytes`);
    if (end > bytes.length) return;
    const header = headerAt(bytes, at, end);
    // The first batch may begin before the requested offset; later ones must follow each other.
    checkOffsets(header, { from, end: range.end });
    if (at > 0 && header.baseOffset < from)
      throw new Error(`a record batch from offset ${header.baseOffset} comes where ${from} is next`);
    from = header.lastOffset + 1;
    yield header;
    at = end;
  }
}

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
    // Nearly all are one byte long: lengths of names, deltas, header counts.
    const first = bytes[this.at];
    if (first !== undefined && first < 0x80) {
      this.at += 1;
      return (first >>> 1) ^ -(first & 1);
    }
    let at = this.at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('a record extends beyond its batch');
      value |= (byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      this.at = at;
      return (value >>> 1) ^ -(value & 1);
    }
    throw new Error('a number in a record is longer than 32 bits');
  }

  /** Up to 2^53: timestamp deltas. */
  varlong(): number {
    const { bytes } = this;
    let at = this.at;
    let value = 0;
    for (let unit = 1; unit < 2 ** 70; unit *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('a record extends beyond its batch');
      value += (byte & 0x7f) * unit;
      if (byte >= 0x80) continue;
      this.at = at;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new Error('a number in a record is longer than 64 bits');
  }

  /** A length and as many bytes; undefined for Kafka's null, whose length is -1. */
  chunk(): Buffer | undefined {
    const length = this.varint();
    if (length < 0) return undefined;
    const start = this.at;
    this.at = start + length;
    return this.bytes.subarray(start, this.at);
  }

  /** Moves past a length and that many bytes, which must end by `end`. Returns the length, -1 for Kafka's null. */
  skipBytes(what: string, end: number): number {
    const length = this.varint();
    if (length < -1) throw new Error(`the ${what} of a record has a length of ${length}`);
    this.at += Math.max(0, length);
    if (this.at > end) throw new Error(`the ${what} of a record extends beyond it`);
    return length;
  }

  /** Moves past the headers, which must end with their record. */
  skipHeaders(end: number): void {
    const count = this.varint();
    if (count < 0) throw new Error(`a record says that it has ${count} headers`);
    for (let left = count; left > 0; left--) {
      if (this.skipBytes('header', end) < 0) throw new Error('a header of a record has no name');
      this.skipBytes('header', end);
    }
    if (this.at !== end) throw new Error('a record does not end where it says');
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

const isTime = (ms: number): boolean => ms >= -timeMax && ms <= timeMax;

const checkCount = ({ baseOffset, lastOffset, count }: Omit<RecordBatch, 'records'>): void => {
  if (count < 0 || count > lastOffset - baseOffset + 1)
    throw new Error(`the batch says that it holds ${count} records`);
  if (count > batchRecordsMax)
    throw new Error(`the batch holds ${count} records; at most ${batchRecordsMax} are allowed`);
};

/** Throws unless every byte belongs to a record and every record to the batch: anything left out would be lost unnoticed. */
export const recordsOf = (batch: RecordBatch): LogRecord[] => {
  checkCount(batch);
  const { baseOffset, lastOffset, baseTimestamp, appendedAt, count, records } = batch;
  const cursor = new Cursor(records, 0);
  const found: LogRecord[] = [];
  let before = baseOffset - 1;
  for (let i = 0; i < count; i++) {
    const length = cursor.varint();
    const end = cursor.at + length;
    if (length < recordBytesMin || end > records.length) throw new Error('a record extends beyond its batch');
    // One byte of attributes, which Kafka does not use.
    cursor.at += 1;
    const timestamp = appendedAt ?? baseTimestamp + cursor.varlong();
    if (appendedAt !== undefined) cursor.varlong();
    if (!isTime(timestamp)) throw new Error(`a record has the time ${timestamp}, beyond any calendar`);
    const offset = baseOffset + cursor.varint();
    if (offset <= before || offset > lastOffset)
      throw new Error(
        `a record with offset ${offset} comes after ${before}, in a batch that ends at ${lastOffset}`,
      );
    before = offset;
    cursor.skipBytes('key', end);
    const size = Math.max(0, cursor.skipBytes('value', end));
    found.push(new FetchedRecord(offset, timestamp, size, records, cursor.at - size));
    cursor.skipHeaders(end);
  }
  if (cursor.at !== records.length) throw new Error('bytes follow the last record of the batch');
  return found;
};
