import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stream } from '@branchline/contracts/ids.ts';
import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { EpochsExhausted, EventTable } from './event-table.ts';
import { openDatabase } from './open-database.ts';

let directory: string;
let database: Database;
let table: EventTable;
/** What the process's monotonic clock says, in ms. */
let monotonic: number;

const open = () => {
  database = openDatabase(join(directory, 'events.db'), {
    site: 'store-0001',
    agent: 'edge-1',
    fileBytesMax: 64 * 1024 * 1024,
  });
  table = new EventTable(database, randomUUID, () => monotonic);
};
const reopen = () => {
  table.close();
  open();
};
beforeEach(() => {
  monotonic = 0;
  directory = mkdtempSync(join(tmpdir(), 'branchline-'));
  open();
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true, force: true });
});

const event = (number: number, stream: Stream = 'pos', text = 'x') => ({
  stream,
  id: `${stream}-${number}`,
  text: JSON.stringify({ recordedtime: 'T', specversion: '1.0', id: `${stream}-${number}`, data: { text } }),
  contentAt: 19,
});
const always = () => true;
const accept = (events: ReturnType<typeof event>[], now = 1_000) => table.accept(events, now, always);
const epochOf = (stream: Stream) =>
  table.highest().find((source) => source.stream === stream)?.epoch as string;
const seqs = (stream: Stream, epoch: string) =>
  table.rows(stream, epoch, 1, 1_000, 1e9).rows.map(({ seq }) => seq);

it('E3 each stream counts 1, 2, 3 …', () => {
  const results = accept([event(1), event(1, 'stock'), event(2), event(2, 'stock'), event(3)]);
  expect(results.map((result) => 'seq' in result && result.seq)).toEqual([1, 1, 2, 2, 3]);
  expect(seqs('pos', epochOf('pos'))).toEqual([1, 2, 3]);
});

it('a repeated event is a duplicate with its first seq, also after a restart; different content is a conflict', () => {
  const [first] = accept([event(1)]);
  expect(accept([event(1)])).toEqual([{ ...first, outcome: 'duplicate' }]);
  expect(accept([event(1, 'pos', 'other')])).toEqual([{ outcome: 'refused', code: 'content-conflict' }]);
  reopen();
  expect(accept([event(1)])).toEqual([{ ...first, outcome: 'duplicate' }]);
  expect(accept([event(2), event(2), event(2, 'pos', 'other')]).map(({ outcome }) => outcome)).toEqual([
    'accepted',
    'duplicate',
    'refused',
  ]);
});

it('E3 a transaction that fails uses no seq and stores nothing', () => {
  accept([event(1)]);
  let calls = 0;
  const failOnThird = () => {
    if (++calls === 3) throw new Error('the disk broke');
    return true;
  };
  expect(() => table.accept([event(2), event(3), event(4), event(1, 'stock')], 1, failOnThird)).toThrow(
    'broke',
  );
  expect(epochOf('stock')).toBeUndefined();
  expect(accept([event(4)])).toMatchObject([{ outcome: 'accepted', seq: 2 }]);
  expect(seqs('pos', epochOf('pos'))).toEqual([1, 2]);
});

it('E3 an epoch that a full disk rolled back is named by nobody afterwards', () => {
  const pages = (max: number) => database.pragma(`max_page_count = ${max}`);
  pages(database.pragma('page_count', { simple: true }) as number);
  expect(() => accept([event(1, 'pos', 'x'.repeat(20_000))])).toThrow(/full/);
  pages(10_000);

  const [accepted] = accept([event(2)]);
  const { epoch } = accepted as { epoch: string };
  expect(table.sources()).toMatchObject([{ stream: 'pos', epoch, highest: 1 }]);
  expect(accept([event(2)])).toEqual([{ outcome: 'duplicate', epoch, seq: 1 }]);
  const request = { id: 1, stream: 'pos', acceptedFrom: 0, acceptedTo: 2_000 } as const;
  expect(table.find(request, 0, 10).answer.found).toEqual([{ epoch, first: 1, last: 1 }]);
});

const epochNumberMax = 2 ** 17 - 1;
const insertEpochs = (from: number, to: number) =>
  database.exec(
    `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
     INSERT INTO epoch SELECT i, 'stock', 'old-' || i, 1, 0, '[]', 0, 0 FROM n`,
  );

it('E3 after the last epoch number the lowest free one is used, and seqs stay 1, 2, 3 …', () => {
  insertEpochs(epochNumberMax - 1, epochNumberMax);
  expect(accept([event(1), event(2), event(3), event(4)])).toMatchObject(
    [1, 2, 3, 4].map((seq) => ({ seq })),
  );
  expect(seqs('pos', epochOf('pos'))).toEqual([1, 2, 3, 4]);
  expect(database.prepare("SELECT number FROM epoch WHERE stream = 'pos'").pluck().all()).toEqual([1]);
});

it('E3 when every epoch number is taken, events are refused instead of stored in a wrong place', () => {
  insertEpochs(1, epochNumberMax);
  expect(() => accept([event(1)])).toThrow(EpochsExhausted);
  database.exec('DELETE FROM epoch WHERE number = 77');
  expect(accept([event(1)])).toMatchObject([{ outcome: 'accepted', seq: 1 }]);
  expect(seqs('pos', epochOf('pos'))).toEqual([1]);
});

it('E3 every session begins a new epoch with its first event, and not before', () => {
  accept([event(1)]);
  const before = epochOf('pos');
  reopen();
  expect(table.sources().map(({ epoch }) => epoch)).toEqual([before]);
  accept([event(2)]);
  expect(epochOf('pos')).not.toBe(before);
  expect(table.sources()).toMatchObject([
    { epoch: before, highest: 1 },
    { epoch: epochOf('pos'), highest: 1 },
  ]);
});

it('E3 an epoch that was left gets no further seqs', () => {
  accept([event(1)]);
  const before = epochOf('pos');
  table.leaveEpoch('pos', before);
  table.leaveEpoch('pos', randomUUID());
  accept([event(2)]);
  expect(epochOf('pos')).not.toBe(before);
  table.leaveEpoch('pos', before);
  accept([event(3)]);
  expect(table.highest()).toMatchObject([{ highest: 2 }]);
});

it('a damaged row fails its checksum', () => {
  accept([event(1), event(2), event(3)]);
  database.prepare("UPDATE pos_event SET body = replace(body, 'x', 'y') WHERE id = 'pos-2'").run();
  database.prepare("UPDATE pos_event SET body = CAST(x'7bff7d' AS TEXT) WHERE id = 'pos-3'").run();
  const { rows } = table.rows('pos', epochOf('pos'), 1, 3, 1e9);
  expect(rows.map(({ damaged }) => damaged)).toEqual([false, true, true]);
});

it('reading ends when the byte limit is reached', () => {
  accept(Array.from({ length: 100 }, (_, i) => event(i)));
  const { rows, complete } = table.rows('pos', epochOf('pos'), 1, 100, 1_000);
  expect(complete).toBe(false);
  expect(rows.length).toBeLessThan(20);
});

const keep = (stream: Stream, epoch: string, to: number) =>
  table.keep([{ stream, epoch, recorded: [[1, to]], appliedTo: to, releaseTo: to }]);

const hour = 3_600_000;
const release = (keptMs: number, rowsMax = 10) => table.release(table.age.now() - keptMs, rowsMax);

it('E2 only events that have been releasable for long enough are deleted, in small ranges', () => {
  accept(Array.from({ length: 11 }, (_, i) => event(i)));
  const epoch = epochOf('pos');
  expect(release(0, 4)).toBeUndefined();
  keep('pos', epoch, 8);
  monotonic += hour;
  keep('pos', epoch, 11);
  expect(release(2 * hour, 4)).toBeUndefined();
  expect(release(hour / 2, 4)).toEqual({ stream: 'pos', epoch, releasedTo: 4, removed: false });
  expect(release(hour / 2, 4)).toEqual({ stream: 'pos', epoch, releasedTo: 8, removed: false });
  expect(release(hour / 2, 4)).toBeUndefined();
  expect(seqs('pos', epoch)).toEqual([9, 10, 11]);
  monotonic += hour;
  expect(release(hour / 2, 4)).toMatchObject({ releasedTo: 11 });
  expect(seqs('pos', epoch)).toEqual([]);
});

it.each([
  ['after four days offline', Date.now() - 4 * 24 * hour],
  ['by a clock that said 1970', 1_000],
])('E2 the archive keeps events that were accepted %s from when they were applied', (_, acceptedAt) => {
  accept([event(1)], acceptedAt);
  keep('pos', epochOf('pos'), 1);
  monotonic += hour;
  expect(release(2 * hour)).toBeUndefined();
  monotonic += hour + 1;
  expect(release(2 * hour)).toMatchObject({ releasedTo: 1 });
});

it('E2 the archive counts the time that agents run, over restarts and whatever the clock of a new process says', () => {
  accept([event(1)]);
  keep('pos', epochOf('pos'), 1);
  monotonic += hour;
  table.age.keep();
  table.close();
  monotonic = 5;
  open();
  expect(release(2 * hour)).toBeUndefined();
  monotonic += hour + 1;
  expect(release(2 * hour)).toMatchObject({ releasedTo: 1 });
});

it('E2 what the hub has lost and applied again is as old as its second application', () => {
  accept([event(1), event(2)]);
  const epoch = epochOf('pos');
  keep('pos', epoch, 2);
  monotonic += hour;
  keep('pos', epoch, 1);
  keep('pos', epoch, 2);
  expect(release(hour / 2)).toMatchObject({ releasedTo: 1 });
  expect(release(hour / 2)).toBeUndefined();
  monotonic += hour;
  expect(release(hour / 2)).toMatchObject({ releasedTo: 2 });
});

it('E2 what an older agent had applied counts as applied now', () => {
  accept([event(1)]);
  keep('pos', epochOf('pos'), 1);
  database.exec('DELETE FROM releasable');
  monotonic += hour;
  expect(release(hour / 2)).toBeUndefined();
  monotonic += hour;
  expect(release(hour / 2)).toMatchObject({ releasedTo: 1 });
});

it('the ages of an archive are a few rows per epoch, and none once it is released', () => {
  accept(Array.from({ length: 200 }, (_, i) => event(i)));
  const epoch = epochOf('pos');
  const rows = () => database.prepare('SELECT count(*) FROM releasable').pluck().get();
  for (let to = 1; to <= 200; to++, monotonic += 1_000)
    table.keep([{ stream: 'pos', epoch, recorded: [[1, to]], appliedTo: to, releaseTo: to }], 60_000);
  expect(rows()).toBe(4);
  monotonic += hour;
  expect(release(0, 500)).toMatchObject({ releasedTo: 200 });
  expect(rows()).toBe(0);
});

it('a new session knows what was released before it, and does not take a lost row for a released one', () => {
  accept([event(1), event(2), event(3), event(4)]);
  const epoch = epochOf('pos');
  keep('pos', epoch, 3);
  monotonic += 10;
  release(0, 2);
  reopen();
  expect(table.sources()).toMatchObject([{ epoch, highest: 4, releasedTo: 2 }]);
  monotonic += 10;
  release(0, 2);
  reopen();
  expect(table.sources()).toMatchObject([{ releasedTo: 3 }]);
});

it('an epoch whose events are all released is removed, the newest stays, and the event count stays right', () => {
  accept([event(1), event(2)]);
  const first = epochOf('pos');
  keep('pos', first, 2);
  monotonic += 10;
  release(0);
  expect(release(0)).toBeUndefined();
  reopen();
  expect(release(0)).toBeUndefined();
  accept([event(3)]);
  expect(release(0)).toEqual({ stream: 'pos', epoch: first, releasedTo: 2, removed: true });
  expect(table.sources().map(({ epoch }) => epoch)).toEqual([epochOf('pos')]);
  expect(table.retired()).toBe(2);
});

it('positions survive a restart', () => {
  accept([event(1), event(2), event(3)]);
  const epoch = epochOf('pos');
  table.keep([
    {
      stream: 'pos',
      epoch,
      recorded: [
        [1, 1],
        [3, 3],
      ],
      appliedTo: 1,
      releaseTo: 1,
    },
  ]);
  reopen();
  expect(table.sources()).toEqual([
    {
      stream: 'pos',
      epoch,
      highest: 3,
      recorded: [
        [1, 1],
        [3, 3],
      ],
      appliedTo: 1,
      releasedTo: 0,
    },
  ]);
});

it('finds events by time of acceptance, page by page', () => {
  accept([event(1), event(2)], 1_000);
  accept([event(3), event(4)], 2_000);
  const first = epochOf('pos');
  reopen();
  accept([event(5), event(6)], 3_000);
  const found: unknown[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = table.find({ id: 1, stream: 'pos', acceptedFrom: 2_000, acceptedTo: 3_000 }, after, 4);
    found.push(...page.answer.found);
    after = page.next;
  }
  expect(found).toEqual([
    { epoch: first, first: 3, last: 4 },
    { epoch: epochOf('pos'), first: 1, last: 2 },
  ]);
});

/** How many rows `work` has read and statements it has run, of a table opened on this database. */
const countingReads = (of: Database) => {
  let reads = 0;
  const counted = new Proxy(of, {
    get: (target, key) => {
      const value = Reflect.get(target, key);
      if (key !== 'prepare') return typeof value === 'function' ? value.bind(target) : value;
      return (text: string) => counting(target.prepare(text));
    },
  });
  const counting = (statement: ReturnType<Database['prepare']>): unknown =>
    new Proxy(statement, {
      get:
        (target, key) =>
        (...given: unknown[]) => {
          const result = (Reflect.get(target, key) as (...all: unknown[]) => unknown).apply(target, given);
          reads += Array.isArray(result) ? 1 + result.length : 1;
          return result === target ? counting(target) : result;
        },
    });
  return { counted, readsSince: (before = 0) => reads - before };
};

it('releasing reads no epoch a second time that has nothing to release', () => {
  const epochs = 300;
  for (let number = 1; number <= epochs; number++) {
    accept([event(number)], 1_000 + number);
    table.keep([{ stream: 'pos', epoch: epochOf('pos'), recorded: [[1, 1]], appliedTo: 1, releaseTo: 1 }]);
    table.leaveEpoch('pos', epochOf('pos'));
    monotonic = number;
  }
  const { counted, readsSince } = countingReads(database);
  table = new EventTable(counted, randomUUID, () => monotonic);
  expect(table.release(0, 10)).toBeUndefined();
  const once = readsSince();
  expect(once).toBeGreaterThan(epochs);
  expect(table.release(0, 10)).toBeUndefined();
  expect(readsSince(once)).toBe(0);

  // Time makes the two oldest releasable, and then they are removed.
  const released = Array.from({ length: 5 }, () => table.release(2, 10));
  expect(released.map((one) => one?.removed)).toEqual([false, true, false, true, undefined]);
  expect(readsSince(once)).toBeLessThan(40);
});
