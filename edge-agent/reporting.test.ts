import { limits } from '@branchline/contracts/limits.ts';
import { outboxOf } from '@branchline/testing/world/outbox-inputs.ts';
import { expect, it } from 'vitest';
import type { StoreFigures } from './core/store-port.ts';
import type { Uplink } from './io/mqtt-uplink.ts';
import type { Store } from './io/store-thread.ts';
import { createReporting } from './reporting.ts';

const session = { site: 'store-0001', agent: 'edge-1', id: 'one', bootAt: 0, agentVersion: '0.1.0' };
const everyMs = 10_000;

const noFigures: StoreFigures = {
  databaseBytes: 1,
  walBytes: 0,
  damagedRows: 0,
  retired: 0,
  damagedFiles: 0,
  isSalvaging: false,
};

/** Bytes of regular statuses that an agent with many open epochs sends in an hour. */
const bytesInAnHour = async (bytesPerMs: number): Promise<{ bytes: number; longestPauseMs: number }> => {
  const epochs = Array.from({ length: limits.rangesPerMessageMax }, (_, i) => ({ epoch: `epoch-${i}` }));
  const outbox = outboxOf(epochs);
  outbox.line.bytesPerMs = bytesPerMs;
  let now = 0;
  let bytes = 0;
  let sentAt = 0;
  let longestPauseMs = 0;
  const uplink = {
    isUp: () => true,
    publishStatus: (json: string) => {
      bytes += json.length;
      longestPauseMs = Math.max(longestPauseMs, now - sentAt);
      sentAt = now;
      return true;
    },
  } as unknown as Uplink;
  const store = { oldest: async () => epochs.map(() => 1) } as unknown as Store;
  const figures = () => noFigures;
  const clock = { monotonic: () => now, now: () => now };
  const { reportIfDue } = createReporting(
    outbox,
    { store, uplink, figures, clock },
    { session, statusIntervalMs: everyMs },
  );
  for (; now < 3_600_000; now += everyMs) await reportIfDue();
  return { bytes, longestPauseMs };
};

it('regular statuses take an eighth of a slow line, and come in time for the hub', async () => {
  const slow = await bytesInAnHour(1.5);
  expect(slow.bytes / (1.5 * 3_600_000)).toBeLessThanOrEqual(1 / 8);
  expect(slow.longestPauseMs).toBeLessThanOrEqual(60_000);
  const fast = await bytesInAnHour(1_000);
  expect(fast.longestPauseMs).toBe(everyMs);
});

it('E3 a database that takes the place of another while the link is down has been there since then, not since the start', async () => {
  let now = 0;
  let isUp = false;
  let databaseId: string | undefined;
  const said: number[] = [];
  const publishStatus = (json: string) => said.push(JSON.parse(json).uptimeMs) > 0;
  const { report, reportIfDue } = createReporting(
    outboxOf([]),
    {
      store: { oldest: async () => [] } as unknown as Store,
      uplink: { isUp: () => isUp, publishStatus } as unknown as Uplink,
      figures: () => ({ ...noFigures, databaseId }),
      clock: { monotonic: () => now, now: () => now },
    },
    { session, statusIntervalMs: everyMs },
  );
  const runTo = async (end: number) => {
    for (; now < end; now += everyMs) await reportIfDue();
  };
  await runTo(3_600_000);
  // The disk finally takes writes: nothing was accepted before.
  databaseId = 'first';
  await runTo(2 * 3_600_000);
  databaseId = 'second';
  await runTo(5 * 3_600_000);
  isUp = true;
  await report('birth');
  expect(said).toEqual([3 * 3_600_000]);
});
