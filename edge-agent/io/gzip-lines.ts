import { crc32, gzipSync } from 'node:zlib';

/** Level 1 halves the size in a few milliseconds per frame; higher levels cost more than they save. */
export const gzipLines = (events: string[]): { gzip: Uint8Array; raw: number; crc: number } => {
  const lines = Buffer.from(`${events.join('\n')}\n`);
  // An exact copy: zlib may return a view into a larger buffer, which cannot be transferred.
  const gzip = new Uint8Array(gzipSync(lines, { level: 1 }));
  return { gzip, raw: lines.length, crc: crc32(gzip) };
};
