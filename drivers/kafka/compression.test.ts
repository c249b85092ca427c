import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codecNames, compress, decompress, decompressedBytesMax } from './compression.ts';
import { lz4BytesMax, snappyBlocks } from './decompressed-size.ts';

/** As the Java client frames snappy: magic, two versions, blocks with their lengths. */
const xerial = (...blocks: Buffer[]): Buffer => {
  const header = Buffer.from('82534e41505059000000000100000001', 'hex');
  const withLengths = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    return [length, block];
  });
  return Buffer.concat([header, ...withLengths]);
};

const anyBytes = fc
  .tuple(fc.uint8Array({ maxLength: 2_000 }), fc.constantFrom(1, 2, 200))
  .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes)));

test.each(codecNames)('%s gives back what it was given', (codec) => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(decompress(codec, compress(codec, bytes)).equals(bytes)).toBe(true);
    }),
  );
});

test('snappy is read in the frames of the Java client, whatever their blocks', () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { maxLength: 5 }), (blocks) => {
      const framed = xerial(...blocks.map((block) => compress('snappy', block)));
      expect(decompress('snappy', framed).equals(Buffer.concat(blocks))).toBe(true);
    }),
  );
  const framed = xerial(compress('snappy', Buffer.from('one')), compress('snappy', Buffer.from('two')));
  const ends = [16, 16 + (snappyBlocks(framed)[0] as Buffer).length + 4, framed.length];
  for (let length = 16; length <= framed.length; length++) {
    if (!ends.includes(length))
      expect(() => decompress('snappy', framed.subarray(0, length))).toThrow('the snappy frame ends');
  }
});

test('lz4 frames never say that they hold less than they do', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(lz4BytesMax(compress('lz4', bytes))).toBeGreaterThanOrEqual(bytes.length);
    }),
  );
  // 64 kB blocks, as Kafka's clients write them.
  const random = randomBytes(200_000);
  expect(lz4BytesMax(compress('lz4', random))).toBe(random.length);
  const frame = compress('lz4', Buffer.from('one and one and one and one'));
  for (let length = 0; length < frame.length; length++)
    expect(() => decompress('lz4', frame.subarray(0, length))).toThrow();
  expect(() => decompress('lz4', Buffer.concat([frame, frame]))).toThrow('does not end with its batch');
});

const bomb = Buffer.alloc(decompressedBytesMax + 1);
/** Says that it holds 4 GB. */
const snappyLiar = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]);

test.each([
  ['gzip', gzipSync(bomb)],
  ['zstd', zstdCompressSync(bomb)],
  ['snappy', compress('snappy', bomb)],
  ['snappy', snappyLiar],
  ['snappy', xerial(...Array.from({ length: 65 }, () => compress('snappy', bomb.subarray(0, 1024 * 1024))))],
  ['lz4', compress('lz4', bomb)],
] as const)('a batch in %s that would become too large is refused', (codec, stored) => {
  const before = process.memoryUsage().arrayBuffers;
  expect(() => decompress(codec, stored)).toThrow(/larger than|are allowed/);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * decompressedBytesMax);
});

test('what is large but allowed is decompressed whole', () => {
  const large = bomb.subarray(0, 20 * 1024 * 1024);
  for (const codec of codecNames) expect(decompress(codec, compress(codec, large)).equals(large)).toBe(true);
});

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'noise is not %s, and the next batch is read',
  (codec) => {
    const good = compress(codec, Buffer.from('good'));
    for (let i = 0; i < 20; i++) {
      const noise = Buffer.concat([Buffer.from([0x50, 0xff]), randomBytes(200)]);
      expect(() => decompress(codec, noise)).toThrow();
      expect(String(decompress(codec, good))).toBe('good');
    }
  },
);
