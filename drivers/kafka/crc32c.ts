/**
 * CRC-32C (Castagnoli), which Kafka puts on every record batch and which node:zlib does not have. Eight bytes a step;
 * byte by byte it was a tenth of the time of the whole bridge. Our own, though @platformatic/wasm-utils has one that is
 * faster (20 kB in 12 µs instead of 18): that instance decompresses foreign bytes, and may fail for good (README.md).
 * Source: RFC 3720 § 12.1 (polynomial); Kounavis and Berry, "A Systematic Approach to Building High Performance
 * Software-based CRC Generators", 2005 (slicing by eight).
 */
const polynomial = 0x82f63b78;

/** Table k, at k × 256, advances a byte that is k bytes away from the end of the step. */
const tables = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  tables[byte] = crc;
}
for (let i = 256; i < tables.length; i++) {
  const before = tables[i - 256] as number;
  tables[i] = (before >>> 8) ^ (tables[before & 255] as number);
}

export const crc32c = (bytes: Uint8Array): number => {
  const t = tables as unknown as { [index: number]: number };
  const b = bytes as unknown as { [index: number]: number };
  let crc = -1;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low =
      crc ^
      ((b[i] as number) |
        ((b[i + 1] as number) << 8) |
        ((b[i + 2] as number) << 16) |
        ((b[i + 3] as number) << 24));
    crc =
      (t[1792 + (low & 255)] as number) ^
      (t[1536 + ((low >>> 8) & 255)] as number) ^
      (t[1280 + ((low >>> 16) & 255)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (b[i + 4] as number)] as number) ^
      (t[512 + (b[i + 5] as number)] as number) ^
      (t[256 + (b[i + 6] as number)] as number) ^
      (t[b[i + 7] as number] as number);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ (t[(crc ^ (b[i] as number)) & 255] as number);
  return ~crc >>> 0;
};
