import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';

test('CRC-32C has the check value of RFC 3720', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test('CRC-32C equals that of kafkajs for bytes of every length', () => {
  const reference = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/crc32C/index.js') as (
    bytes: Buffer,
  ) => number;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(crc32c(bytes)).toBe(reference(Buffer.from(bytes)) >>> 0);
    }),
  );
});
