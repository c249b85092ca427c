import { crc32, gzipSync } from 'node:zlib';

/** Level 1: half the size of the lines for a few milliseconds per frame; the higher levels cost more than they save. */
export const gzipLines = (events: string[]): { gzip: Uint8Array; raw: number; crc: number } => {
  const lines = Buffer.from(`${events.join('\n')}\n`);
  // A copy of its own size: what zlib returns may be a view into a larger buffer, which cannot be handed over.
  const gzip = new Uint8Array(gzipSync(lines, { level: 1 }));
  return { gzip, raw: lines.length, crc: crc32(gzip) };
};
