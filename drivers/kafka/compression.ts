import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
// Bundled: the other entry reads its .wasm file from beside itself, where a bundle has none.
import {
  lz4Compress,
  lz4Decompress,
  snappyCompress,
  snappyDecompress,
} from '@platformatic/wasm-utils/bundled';
import { lz4BytesMax, snappyBlocks, snappyBytes } from './decompressed-size.ts';

/**
 * Every codec that Kafka has, synchronous. gzip and zstd come with Node; snappy and lz4 from @platformatic/wasm-utils
 * (Apache-2.0): WebAssembly made for a Kafka client, without install script or binaries per platform.
 */

/** By the number in a batch's attributes. Source: Apache Kafka documentation, "Message Format". */
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type CodecName = (typeof codecNames)[number];

/** 64 times the largest batch that a broker takes unless told otherwise (`max.message.bytes`, 1 MiB). */
export const decompressedBytesMax = 64 * 1024 * 1024;

/**
 * At once, and into a buffer that is nearly always large enough: 250 sales in 16 kB pieces on another thread took four
 * times the processor time. The part of a buffer that stays unused is not touched and costs nothing.
 */
const inflateOptions = (stored: Buffer) => ({
  chunkSize: Math.min(Math.max(1_024, 32 * stored.length), 512 * 1_024),
  maxOutputLength: decompressedBytesMax,
});

const allow = (bytes: number): void => {
  if (bytes > decompressedBytesMax)
    throw new Error(`it may decompress to ${bytes} bytes, and ${decompressedBytesMax} are allowed`);
};

/**
 * WebAssembly's only word for bad input is `unreachable`. Such a trap does not unwind the instance's stack: after some
 * 7,000 of them (measured) every call fails until the process restarts. So checksums are verified before this.
 */
const translated = (codec: CodecName, decompress: () => Buffer): Buffer => {
  try {
    return decompress();
  } catch (cause) {
    throw new Error(`the bytes are not ${codec}`, { cause });
  }
};

const unsnap = (stored: Buffer): Buffer => {
  const blocks = snappyBlocks(stored);
  allow(blocks.reduce((sum, block) => sum + snappyBytes(block), 0));
  const decompressed = blocks.map((block) => translated('snappy', () => snappyDecompress(block)));
  return decompressed.length === 1 ? (decompressed[0] as Buffer) : Buffer.concat(decompressed);
};

const decompressors: Record<CodecName, (stored: Buffer) => Buffer> = {
  none: (stored) => stored,
  gzip: (stored) => gunzipSync(stored, inflateOptions(stored)),
  snappy: unsnap,
  lz4: (stored) => {
    allow(lz4BytesMax(stored));
    return translated('lz4', () => lz4Decompress(stored));
  },
  zstd: (stored) => zstdDecompressSync(stored, inflateOptions(stored)),
};

/** Throws when the bytes are not of this codec, or would become more than `decompressedBytesMax`. */
export const decompress = (codec: CodecName, stored: Buffer): Buffer => decompressors[codec](stored);

const zstdLevel1 = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const compressors: Record<CodecName, (records: Buffer) => Buffer> = {
  none: (records) => records,
  gzip: (records) => gzipSync(records),
  snappy: (records) => snappyCompress(records),
  lz4: (records) => lz4Compress(records),
  zstd: (records) => zstdCompressSync(records, zstdLevel1),
};

export const compress = (codec: CodecName, records: Buffer): Buffer => compressors[codec](records);
