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

test('no total of the books can overflow 64 bits: nine million of the largest events fit into one', () => {
  expect(9_000_000 * limits.eventSumMax).toBeLessThan(Number(2n ** 63n - 1n));
});
