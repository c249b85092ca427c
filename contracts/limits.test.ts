import { expect, test } from 'vitest';
import { limits } from './limits.ts';

test('an accepted event fits into a frame and a Kafka batch, and a frame into what the bridge inflates', () => {
  expect(limits.eventBytesMax).toBeLessThanOrEqual(limits.eventBytesCeiling);
  expect(limits.eventBytesCeiling).toBeLessThan(limits.frameRawBytesMax);
  expect(limits.eventBytesCeiling).toBeLessThan(limits.kafkaBatchBytesMax);
  expect(limits.frameRawBytesTarget).toBeLessThan(limits.frameRawBytesMax);
  expect(limits.frameRawBytesMax).toBeLessThanOrEqual(limits.frameBytesMax - limits.frameHeaderBytesMax);
  expect(limits.eventBytesMax).toBeLessThan(limits.intakeBodyBytesMax);
});

test('what agents may say fits into the sums of the API: a fleet of 100,000 sources at the highest seq', () => {
  expect(100_000 * limits.seqMax).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
  expect(limits.seqJumpMax).toBeLessThan(limits.seqMax);
  expect(new Date(limits.instantMsMin).toISOString()).toBe('0001-01-01T00:00:00.000Z');
  expect(new Date(limits.instantMsMax).toISOString()).toBe('9999-12-31T23:59:59.999Z');
});

test('no total of the books can overflow 64 bits: nine million of the largest events fit into one', () => {
  expect(9_000_000 * limits.eventSumMax).toBeLessThan(Number(2n ** 63n - 1n));
});
