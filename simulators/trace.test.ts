import { envelope } from '@branchline/contracts/event.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { expect, it } from 'vitest';
import { newTraceparent } from './trace.ts';

it('a trace has the form of the contract, is the same for the same seed, and is new each time', () => {
  const random = seededRandom(1);
  const traces = Array.from({ length: 1_000 }, () => newTraceparent(random));
  for (const trace of traces) expect(envelope.traceparent.safeParse(trace).success).toBe(true);
  expect(new Set(traces.map((trace) => trace.slice(3, 35))).size).toBe(1_000);
  expect(newTraceparent(seededRandom(1))).toBe(traces[0]);
});

it('an id is never all zeros, which would mean none', () => {
  expect(newTraceparent(() => 0)).toBe('00-10000000000000000000000000000000-1000000000000000-01');
});
