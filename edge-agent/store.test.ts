import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, gunzipSync } from 'node:zlib';
import type { Stream } from '@branchline/contracts/ids.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AcceptResult, FromStore } from './core/store-port.ts';
import { createStore } from './store.ts';

let directory: string;
let store: ReturnType<typeof createStore>;
let messages: FromStore[];
let nextId = 1;

const MiB = 1024 * 1024;
const open = (change: { diskBudgetBytes?: number; archiveKeepMs?: number } = {}) => {
  messages = [];
  store = createStore(
    {
      path: join(directory, 'events.db'),
      site: 'store-0001',
      agent: 'edge-1',
      diskBudgetBytes: 64 * MiB,
      archiveKeepMs: 3_600_000,
      groupCommitMs: 1,
      ...change,
    },
    systemClock,
    randomUUID,
    (message) => messages.push(message),
    () => {},
  );
};
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
});
afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

const eventually = async <T>(find: () => T | undefined): Promise<T> => {
  for (let i = 0; i < 2_000; i++) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not happen in time');
};
const event = (number: number, stream: Stream, bytes: number) => ({
  stream,
  id: `${stream}-${number}`,
  text: JSON.stringify({ id: `${stream}-${number}`, text: 'x'.repeat(bytes) }),
  contentAt: 1,
});
const send = (events: ReturnType<typeof event>[]) => {
  const id = nextId++;
  store.receive({ kind: 'accept', id, events });
  return id;
};
const resultsOf = (id: number) =>
  eventually<AcceptResult[]>(() => {
    for (const message of messages)
      if (message.kind === 'committed')
        for (const answer of message.answers) if (answer.id === id) return answer.results;
    return undefined;
  });
const put = (numbers: number[], stream: Stream, bytes = 1_000) =>
  resultsOf(send(numbers.map((number) => event(number, stream, bytes))));
const codes = (results: AcceptResult[]) =>
  new Set(results.map((result) => (result.outcome === 'refused' ? result.code : result.outcome)));

it('waiting requests share one transaction', async () => {
  open();
  const ids = [1, 2, 3].map((number) => send([event(number, 'pos', 10)]));
  await resultsOf(ids[2] as number);
  const commits = messages.filter((message) => message.kind === 'committed');
  expect(commits).toHaveLength(1);
  expect(commits[0]).toMatchObject({ highest: [{ highest: 3 }] });
});

it('reads a frame as compressed lines with their size and checksum', async () => {
  open();
  await put([1, 2, 3], 'pos', 10);
  const epoch = (messages.find((message) => message.kind === 'committed') as { highest: { epoch: string }[] })
    .highest[0]?.epoch as string;
  store.receive({ kind: 'frame', id: 7, stream: 'pos', epoch, first: 2, last: 9, rawBytesMax: 100_000 });
  const answer = messages.at(-1);
  if (answer?.kind !== 'frame' || answer.lines === undefined) throw new Error('no frame');
  expect(answer).toMatchObject({ id: 7, examinedTo: 3, sent: [2, 3], unsendable: [] });
  const text = gunzipSync(answer.lines.gzip).toString();
  expect(text.split('\n').map((line) => line && JSON.parse(line).id)).toEqual(['pos-2', 'pos-3', '']);
  expect(answer.lines).toMatchObject({ raw: text.length, crc: crc32(answer.lines.gzip) });
});

it('E4 when the budget is spent, stock is refused first, then sales, and nothing accepted is lost', async () => {
  open({ diskBudgetBytes: 4 * MiB });
  let accepted = 0;
  let stockRefusedAt: number | undefined;
  let salesRefusedAt: number | undefined;
  for (let i = 0; salesRefusedAt === undefined && i < 100; i++) {
    const numbers = Array.from({ length: 50 }, (_, j) => i * 50 + j);
    const stock = await put(numbers, 'stock');
    const sales = await put(numbers, 'pos');
    if (codes(stock).has('disk-budget-spent')) stockRefusedAt ??= i;
    if (codes(sales).has('disk-budget-spent')) salesRefusedAt ??= i;
    accepted += [...stock, ...sales].filter(({ outcome }) => outcome === 'accepted').length;
  }
  expect(stockRefusedAt).toBeLessThan(salesRefusedAt as number);
  expect(codes(await put([0, 1], 'pos'))).toEqual(new Set(['duplicate']));
  store.close();
  open({ diskBudgetBytes: 4 * MiB });
  const opened = messages.find((message) => message.kind === 'opened');
  expect(opened?.sources.reduce((sum, { highest }) => sum + highest, 0)).toBe(accepted);
});

it('E4 the archive is sacrificed first, and releasing makes room at the limit', async () => {
  open({ diskBudgetBytes: 4 * MiB });
  let number = 0;
  const fill = async () => {
    for (;;) {
      const results = await put(
        Array.from({ length: 100 }, () => number++),
        'pos',
      );
      if (codes(results).has('disk-budget-spent')) return;
    }
  };
  await fill();
  const committed = messages.findLast((message) => message.kind === 'committed');
  const { epoch, highest } = (committed as { highest: { epoch: string; highest: number }[] }).highest[0] as {
    epoch: string;
    highest: number;
  };
  store.receive({
    kind: 'keep',
    positions: [{ stream: 'pos', epoch, recorded: [[1, highest]], appliedTo: highest, releaseTo: highest }],
  });
  const released = await eventually(() => messages.findLast((message) => message.kind === 'released'));
  expect(released).toMatchObject({ epoch });
  expect(codes(await put([number], 'pos'))).toEqual(new Set(['accepted']));
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  const last = messages.findLast((message) => message.kind === 'released');
  expect(last?.releasedTo).toBeLessThan(highest);
});

it.each(['events.db', 'events.db-wal'])(
  'E1 when %s is removed, no event is answered as accepted and the agent exits',
  async (name) => {
    open();
    expect(codes(await put([1], 'pos'))).toEqual(new Set(['accepted']));
    rmSync(join(directory, name));
    expect(codes(await put([2], 'pos'))).toEqual(new Set(['storage-failed']));
    const failed = messages.find((message) => message.kind === 'failed');
    expect(failed?.detail).toContain(`${name} was removed or replaced while the agent was running`);
  },
);

it('E1 a removed database is noticed without a sale', async () => {
  open();
  await put([1], 'pos');
  rmSync(join(directory, 'events.db'));
  const failed = await eventually(() => messages.find((message) => message.kind === 'failed'));
  expect(failed.detail).toContain('events.db was removed or replaced');
});
