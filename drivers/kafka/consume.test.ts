import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Kafka } from './client.ts';
import { type LogBatch, type LogHandlers, readLog } from './consume.ts';

/** The reader on a consumer that the test plays: what kafkajs is asked for, and what it is told. */

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type EachBatch = (payload: object) => Promise<void>;
type Played = {
  options: Record<string, unknown>;
  subscribed: object;
  run: { eachBatch: EachBatch } & Record<string, unknown>;
  told: string[];
  listeners: Map<string, (event: { payload: object }) => void>;
};

/** One client; each of its consumers is played by itself. */
const played: Played[] = [];
const kafka = {
  consumer: (options: Record<string, unknown>) => {
    const own = { options, told: [], listeners: new Map() } as unknown as Played;
    played.push(own);
    const tell = (what: string) => async () => void own.told.push(what);
    return {
      events: { CRASH: 'crash', GROUP_JOIN: 'join' },
      on: (event: string, listener: (event: { payload: object }) => void) => {
        own.listeners.set(event, listener);
      },
      connect: async () => {},
      subscribe: async (topics: object) => {
        own.subscribed = topics;
      },
      run: async (run: Played['run']) => {
        own.run = run;
      },
      seek: ({ topic, partition, offset }: Record<string, unknown>) =>
        own.told.push(`seek ${topic}/${partition} ${offset}`),
      commitOffsets: async ([at]: [Record<string, unknown>]) =>
        void own.told.push(`commit ${at.topic}/${at.partition} ${at.offset}`),
      stop: tell('stop'),
      disconnect: tell('disconnect'),
    };
  },
} as unknown as Kafka;

const open = async (handlers: Partial<LogHandlers>) => {
  const crashes: string[] = [];
  const reader = await readLog(
    kafka,
    { groupId: 'ledger', topics: ['sales'], concurrency: 6 },
    {
      onBatch: async ({ records }) => ({ next: (records.ahead(Infinity).at(-1)?.offset ?? -1) + 1 }),
      onAssigned: async (assigned) => assigned.map((it) => ({ ...it, next: 5 })),
      onCrash: (error) => crashes.push(error.message),
      ...handlers,
    },
  );
  return { reader, crashes, ...(played.at(-1) as Played) };
};

/** A batch of these offsets as kafkajs gives it to `eachBatch`. */
const payload = (
  offsets: number[],
  { from = offsets[0], running = () => true as boolean, heartbeat = async () => {} } = {},
) => ({
  batch: {
    topic: 'sales',
    partition: 0,
    fetchedOffset: String(from),
    messages: offsets.map((offset) => ({ offset: String(offset), timestamp: '0', value: Buffer.from('x') })),
    lastOffset: () => String(offsets.at(-1)),
  },
  heartbeat,
  isRunning: running,
  isStale: () => false,
  resolveOffset: () => {},
});
const settled = () => vi.advanceTimersByTimeAsync(0);
const rebalance = () => Object.assign(new Error('rebalance'), { type: 'REBALANCE_IN_PROGRESS' });

test('kafkajs never commits or resolves by itself, begins at the beginning, and restarts for ever', async () => {
  const { options, subscribed, run } = await open({});
  expect(run).toMatchObject({ autoCommit: false, eachBatchAutoResolve: false });
  expect(subscribed).toEqual({ topics: ['sales'], fromBeginning: true });
  const retry = options.retry as { restartOnFailure(error: Error): Promise<boolean> };
  expect(await retry.restartOnFailure(new Error('anything'))).toBe(true);
});

test('partitions begin where the handler says, unless the reader was stopped meanwhile', async () => {
  const join = { payload: { memberAssignment: { sales: [0, 3] } } };
  const first = await open({});
  first.listeners.get('join')?.(join);
  await settled();
  expect(first.told).toEqual(['seek sales/0 5', 'seek sales/3 5']);
  const second = await open({});
  second.listeners.get('join')?.(join);
  const stopped = second.reader.stop();
  await settled();
  await stopped;
  expect(second.told).toEqual(['stop', 'disconnect']);
});

test('a batch is handled after the one before it, while kafkajs already fetches the next', async () => {
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { run } = await open({
    onBatch: async ({ records }) => {
      const first = records.ahead(1)[0]?.offset ?? -1;
      order.push(`begin ${first}`);
      if (first === 0) await gate.promise;
      order.push(`end ${first}`);
      return { next: first + 1 };
    },
  });
  await run.eachBatch(payload([0]));
  const second = run.eachBatch(payload([1]));
  await settled();
  expect(order).toEqual(['begin 0']);
  gate.resolve();
  await second;
  await settled();
  expect(order).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
});

test('records before the offset that was asked for are left out, and the handler may go on elsewhere', async () => {
  const seen: number[] = [];
  const { run, told } = await open({
    onBatch: async ({ records }) => {
      seen.push(...records.ahead(Infinity).map(({ offset }) => offset));
      return { next: 2 };
    },
  });
  await run.eachBatch(payload([5, 6, 7], { from: 6 }));
  await settled();
  expect(seen).toEqual([6, 7]);
  expect(told[0]).toBe('seek sales/0 2');
});

test('a rebalance is let through: no crash, no seek, no commit', async () => {
  const heartbeat = async () => {
    throw rebalance();
  };
  const { run, told, crashes } = await open({
    onBatch: async (batch: LogBatch) => {
      await batch.alive();
      return { next: 1 };
    },
  });
  await run.eachBatch(payload([0], { heartbeat }));
  await vi.advanceTimersByTimeAsync(5_000);
  expect({ told, crashes }).toEqual({ told: [], crashes: [] });
});

test('nothing is committed or sought for a partition that was lost while it was handled', async () => {
  let mine = true;
  const { run, told } = await open({
    onBatch: async (batch) => {
      expect(batch.isMine()).toBe(true);
      mine = false;
      expect(batch.isMine()).toBe(false);
      return { next: 9 };
    },
  });
  await run.eachBatch(payload([0], { running: () => mine }));
  await settled();
  expect(told).toEqual([]);
});

test('a heartbeat that is never answered ends the wait, and the batch is fetched again', async () => {
  const { run, told, crashes } = await open({
    onBatch: async (batch) => {
      await batch.alive();
      return { next: 1 };
    },
  });
  await run.eachBatch(payload([3, 4], { from: 4, heartbeat: () => new Promise(() => {}) }));
  await vi.advanceTimersByTimeAsync(20_000);
  expect(crashes).toEqual(["Kafka's client did not answer within 20 s: a heartbeat"]);
  expect(told).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told).toEqual(['seek sales/0 4']);
});

test('each reader commits every five seconds at most, whatever another reader of the process does', async () => {
  const [first, second] = [await open({}), await open({})];
  for (const { run } of [first, second]) {
    await run.eachBatch(payload([0]));
    await settled();
    await run.eachBatch(payload([1]));
    await settled();
  }
  expect([first.told, second.told]).toEqual([['commit sales/0 1'], ['commit sales/0 1']]);
  await vi.advanceTimersByTimeAsync(5_000);
  await first.run.eachBatch(payload([2]));
  await settled();
  expect(first.told).toEqual(['commit sales/0 1', 'commit sales/0 3']);
});
