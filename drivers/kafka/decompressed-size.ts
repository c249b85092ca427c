/**
 * How Kafka's clients frame snappy and lz4, and how large what they hold can become. The sizes are read from the frames
 * before anything is decompressed, so that no header makes this process allocate more than a stated maximum.
 */

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const xerialHeaderBytes = xerialMagic.length + 8;

/**
 * The snappy blocks of a batch. The Java client frames them as the library snappy-java does (magic, two versions, then
 * blocks with their lengths); librdkafka and others send one bare block.
 * Source: xerial/snappy-java, SnappyOutputStream.
 */
export const snappyBlocks = (stored: Buffer): Buffer[] => {
  if (!stored.subarray(0, xerialMagic.length).equals(xerialMagic)) return [stored];
  const blocks: Buffer[] = [];
  let at = xerialHeaderBytes;
  while (at < stored.length) {
    if (at + 4 > stored.length) throw new Error('the snappy frame ends within a length');
    const start = at + 4;
    at = start + stored.readUInt32BE(at);
    if (at > stored.length) throw new Error('the snappy frame ends within a block');
    blocks.push(stored.subarray(start, at));
  }
  return blocks;
};

/** What a snappy block says it decompresses to. Source: google/snappy, format_description.txt § 1. */
export const snappyBytes = (block: Buffer): number => {
  let length = 0;
  for (let i = 0, unit = 1; i < 5; i++, unit *= 128) {
    const byte = block[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * unit;
    if (byte < 0x80) return length;
  }
  throw new Error('the snappy block does not begin with its length');
};

const lz4Magic = 0x184d2204;
const lz4Flags = {
  versionMask: 0xc0,
  version: 0x40,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
};
const lz4BlockBytesMax: Record<number, number> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 };
const lz4Uncompressed = 0x80000000;
/** A compressed byte stands for 255 bytes at most, in the length of a match. */
const lz4RatioMax = 255;

/**
 * The most that an lz4 frame can decompress to: each block fills its block size at most. Throws when the frame does not
 * end where the bytes do: a second frame would not be counted. Source: lz4/lz4, doc/lz4_Frame_format.md.
 */
export const lz4BytesMax = (frame: Buffer): number => {
  if (frame.length < 7 || frame.readUInt32LE(0) !== lz4Magic) throw new Error('the frame is not lz4');
  const flags = frame[4] as number;
  const blockBytesMax = lz4BlockBytesMax[((frame[5] as number) >> 4) & 7];
  if ((flags & lz4Flags.versionMask) !== lz4Flags.version || blockBytesMax === undefined)
    throw new Error('the lz4 frame has an unknown version or block size');
  const checksumBytes = (flags & lz4Flags.blockChecksum) === 0 ? 0 : 4;
  let at = 7;
  if ((flags & lz4Flags.contentSize) !== 0) at += 8;
  if ((flags & lz4Flags.dictionary) !== 0) at += 4;
  let total = 0;
  while (at + 4 <= frame.length) {
    const length = frame.readUInt32LE(at);
    if (length === 0) {
      const end = at + 4 + ((flags & lz4Flags.contentChecksum) === 0 ? 0 : 4);
      if (end !== frame.length) throw new Error('the lz4 frame does not end with its batch');
      return total;
    }
    const stored = length % lz4Uncompressed;
    total += length >= lz4Uncompressed ? stored : Math.min(blockBytesMax, stored * lz4RatioMax);
    at += 4 + stored + checksumBytes;
  }
  throw new Error('the lz4 frame has no end');
};
