import { randomUUID } from 'node:crypto';
import { grantHubRole } from '@branchline/hub/io/migrate.ts';
import { mergeDeltas } from '@branchline/hub/ledger/books/merge.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createCountVoids } from '@branchline/hub/ledger/books/stock/count-voids.ts';
import { applyCount } from '@branchline/hub/ledger/books/stock/counts.ts';
import { type Books, createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { readStock } from '@branchline/hub/reports/io/stock-query.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { createLog } from '@branchline/kernel/log.ts';
import fc from 'fast-check';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import {
  countEvent,
  movementEvent,
  recordOf,
  someDay,
  someEpoch,
  streamOfEvent,
  type TestEvent,
  transactionEvent,
} from '../world/events.ts';
import { createNumbering, createSliceWriter, openPartitions, sliceOf } from '../world/slices.ts';

/** Stock on a real PostgreSQL: counts and changes that come late and in any order, by either statement. */
let database: BooksDatabase;

beforeEach(async () => {
  database = await createBooksDatabase();
});
afterEach(() => database.close());

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const day = someDay;
const dayText = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** A ledger that nobody competes with; every call of `apply` is one slice per stream. */
const ledger = async (pool = database.pool) => {
  await openPartitions(pool);
  const write = createSliceWriter(createBooks(pool, createNames(pool), 300_000));
  const numbering = createNumbering(() => someEpoch);
  return async (events: TestEvent[]): Promise<void> => {
    for (const [stream, own] of Map.groupBy(events, streamOfEvent))
      await write(
        stream,
        own.map((event) => recordOf(event, numbering.next(event))),
      );
  };
};

const [north, south, east] = ['store-0001', 'store-0002', 'store-0003'];
let sequence = 0;
const sale = (at: number, { site = north, item = 'tea', businessDay = dayText(at) } = {}) =>
  transactionEvent({
    site,
    sequence: ++sequence,
    at,
    businessDay,
    lines: [{ item, quantity: 1_000, amount: 100 }],
  });
const count = (at: number, { site = north, item = 'tea', quantity = 50_000, full = false } = {}) =>
  countEvent({ site, id: `count-${++sequence}`, at, full, lines: [{ item, quantity }] });

const all = async (text: string) => (await database.pool.query(text)).rows as Record<string, unknown>[];
const onHand = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await all(`select site.name || ' ' || item.name as position, (count_quantity + delta_since)::int as on_hand
        from stock join site using (site_id) join item using (item_id) order by 1`)
    ).map((row) => [row.position, row.on_hand]),
  );

// With a lag of weeks the journal is read day by day.
test.each([3, 40])(
  'H5 a late count finds the sale of a till whose business day was left open for %i days',
  async (days) => {
    const late = [sale(day + days * dayMs + 10 * hourMs, { businessDay: dayText(day) })];
    const before = [sale(day + days * dayMs - hourMs)];
    const counted = [count(day + days * dayMs)];
    const apply = await ledger();
    await apply([...late, ...before]);
    expect(await all('select day_lag from site')).toEqual([{ day_lag: days }]);
    await apply(counted);
    expect(await onHand()).toEqual({ 'store-0001 tea': 49_000 });
    await database.empty();
    const again = await ledger();
    await again(counted);
    await again([...late, ...before]);
    expect(await onHand()).toEqual({ 'store-0001 tea': 49_000 });
  },
);

test('H5 a sale that a broken clock dates to the year 9999 does not keep the site from being counted', async () => {
  const broken = [sale(Date.UTC(9999, 11, 31, 23, 59, 59), { businessDay: dayText(day) })];
  const counted = [count(day + dayMs)];
  for (const order of [
    [broken, counted],
    [counted, broken],
  ]) {
    await database.empty();
    const apply = await ledger();
    for (const events of order) await apply(events);
    // By its own date it follows the count.
    expect(await onHand()).toEqual({ 'store-0001 tea': 49_000 });
  }
});

test('H5 a sale that states a time in the future of its record precedes the counts that were taken after it was recorded', async () => {
  const future = recordOf(
    sale(Date.UTC(2099, 0, 1), { businessDay: dayText(day) }),
    { site: north, stream: 'pos', epoch: someEpoch, seq: 1 },
    { timestamp: day + hourMs },
  );
  const orders = [
    async (books: Books) => {
      await books.apply(sliceOf('pos', [future]));
      await books.apply(sliceOf('stock', [counted]));
    },
    async (books: Books) => {
      await books.apply(sliceOf('stock', [counted]));
      await books.apply(sliceOf('pos', [future]));
    },
  ];
  const taken = count(day + 2 * hourMs);
  const counted = recordOf(taken, { site: north, stream: 'stock', epoch: someEpoch, seq: 1 });
  for (const apply of orders) {
    await database.empty();
    await openPartitions(database.pool);
    await apply(createBooks(database.pool, createNames(database.pool), 300_000));
    expect(await onHand()).toEqual({ 'store-0001 tea': 50_000 });
    expect(await all('select flags from journal where kind = 1')).toEqual([{ flags: 8 + 16 }]);
    // Without the count, it is a sale like any other.
    await decide(north, taken.id, true);
    expect(await onHand()).toEqual({ 'store-0001 tea': -1_000 });
  }
});

test('H5 control: while the lag is not raised, the late count does not see that sale', async () => {
  const apply = await ledger();
  await apply([sale(day + 3 * dayMs + 10 * hourMs, { businessDay: dayText(day) })]);
  await database.pool.query('update site set day_lag = 1');
  await apply([count(day + 3 * dayMs)]);
  expect(await onHand()).toEqual({ 'store-0001 tea': 50_000 });
});

test('the lag of a site is the largest it ever had, counting only what changes stock', async () => {
  const apply = await ledger();
  await apply([
    sale(day + 4 * dayMs, { businessDay: dayText(day) }),
    sale(day + 2 * dayMs, { businessDay: dayText(day) }),
    sale(day + 2 * dayMs - 1, { site: south, businessDay: dayText(day) }),
    sale(day + 2 * dayMs, { site: east, businessDay: dayText(day) }),
    transactionEvent({
      site: south,
      sequence: ++sequence,
      at: day + 9 * dayMs,
      businessDay: dayText(day),
      training: true,
      lines: [{ item: 'tea', quantity: 1_000, amount: 100 }],
    }),
    movementEvent({ site: south, id: 'move-1', at: day, lines: [{ item: 'tea', quantity: 1_000 }] }),
  ]);
  await apply([sale(day + 2 * dayMs, { businessDay: dayText(day) })]);
  expect(await all('select name, day_lag from site order by name')).toEqual([
    { name: north, day_lag: 4 },
    { name: south, day_lag: 1 },
    { name: east, day_lag: 2 },
  ]);
});

test('H5 in one slice, sales that precede the count of their site are history, those of a site without one are not', async () => {
  const apply = await ledger();
  await apply([count(day + 5 * hourMs)]);
  await apply([
    sale(day + 7 * hourMs, { item: 'milk' }),
    sale(day + 4 * hourMs),
    sale(day + 6 * hourMs),
    sale(day + 8 * hourMs, { item: 'eggs' }),
    sale(day + 4 * hourMs, { site: south }),
    sale(day + 6 * hourMs, { site: south }),
  ]);
  expect(await onHand()).toEqual({
    'store-0001 eggs': -1_000,
    'store-0001 milk': -1_000,
    'store-0001 tea': 49_000,
    'store-0002 tea': -2_000,
  });
});

test('H5 a sale at the very moment of the count precedes it', async () => {
  const apply = await ledger();
  await apply([count(day)]);
  await apply([sale(day)]);
  expect(await onHand()).toEqual({ 'store-0001 tea': 50_000 });
});

test('H5 an item first sold after a full count was counted as zero by it, and an older count does not change that', async () => {
  const apply = await ledger();
  await apply([count(day, { full: true })]);
  await apply([sale(day + hourMs, { item: 'milk' })]);
  const expected = { 'store-0001 milk': -1_000, 'store-0001 tea': 50_000 };
  expect(await onHand()).toEqual(expected);
  expect(await all("select count_at from stock join item using (item_id) where name = 'milk'")).toEqual([
    { count_at: new Date(day) },
  ]);
  await apply([count(day - hourMs, { item: 'milk', quantity: 9_000 })]);
  expect(await onHand()).toEqual(expected);
});

test('H5 movements and the first count of their site may come in one slice', async () => {
  const apply = await ledger();
  const moved = (id: string, at: number) =>
    movementEvent({ site: north, id, at, lines: [{ item: 'tea', quantity: 2_000 }] });
  await apply([moved('move-1', day - hourMs), count(day), moved('move-2', day + hourMs)]);
  expect(await onHand()).toEqual({ 'store-0001 tea': 52_000 });
  expect(await all('select last_count_at from site')).toEqual([{ last_count_at: new Date(day) }]);
});

test('H5 a slice that waited for the stock of its site sees the count that it waited for', async () => {
  const apply = await ledger();
  await apply([sale(day - hourMs), sale(day - hourMs, { site: south })]);
  const [{ site_id: siteId, item_id: itemId }] = (await all(
    `select site_id, item_id from site, item where site.name = '${north}'`,
  )) as [{ site_id: number; item_id: number }];
  const holder = await database.pool.connect();
  try {
    await holder.query('begin');
    await holder.query('select pg_advisory_xact_lock(7264002, $1)', [siteId]);
    const waiting = apply([sale(day - hourMs), sale(day + hourMs)]);
    while ((await all("select 1 from pg_locks where locktype = 'advisory' and not granted")).length === 0);
    const taken = {
      siteId,
      location: '',
      at: day,
      key: 'count',
      full: false,
      businessDay: dayText(day),
      suspect: false,
    };
    await applyCount(holder, { ...taken, itemIds: [itemId], quantities: [50_000] });
    await holder.query('commit');
    await waiting;
  } finally {
    holder.release();
  }
  expect(await onHand()).toEqual({ 'store-0001 tea': 49_000, 'store-0002 tea': -1_000 });
});

test('the database role of the hub may apply counts and raise lags', async () => {
  const password = randomUUID();
  await grantHubRole(database.url, password);
  const url = new URL(database.url);
  url.username = 'branchline_hub';
  url.password = password;
  const pool = new pg.Pool({ connectionString: url.href });
  try {
    const apply = await ledger(pool);
    await apply([sale(day + 3 * dayMs + hourMs, { businessDay: dayText(day) })]);
    await apply([count(day + 3 * dayMs)]);
    expect(await onHand()).toEqual({ 'store-0001 tea': 49_000 });
  } finally {
    await pool.end();
  }
});

/** `hour`: hours after `day`; `lag`: days by which the business day precedes it. */
const anyEvent = fc.record({
  what: fc.constantFrom('sale', 'sale', 'sale', 'training', 'move', 'count', 'full'),
  site: fc.constantFrom(north as string, south as string),
  location: fc.constantFrom('', 'back'),
  hour: fc.integer({ min: 0, max: 9 * 24 }),
  lag: fc.constantFrom(0, 0, 1, 2, 3, 6),
  /** What people decide about a count some time after it came. */
  fate: fc.constantFrom('stays', 'stays', 'voided', 'restored'),
  lines: fc.array(
    fc.record({
      item: fc.constantFrom('a', 'b', 'c'),
      quantity: fc.integer({ min: 1, max: 5_000 }),
      damaged: fc.boolean(),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});
type Spec = typeof anyEvent extends fc.Arbitrary<infer T> ? T : never;

/** Sales alone name no location; a damaged item is returned and does not go back on the shelf. */
const eventOf = ({ what, site, location, hour, lag, lines }: Spec, i: number): TestEvent => {
  const at = day + hour * hourMs;
  if (what === 'sale' || what === 'training')
    return transactionEvent({
      site,
      sequence: i,
      at,
      businessDay: dayText(at - lag * dayMs),
      training: what === 'training',
      lines: lines.map(({ item, quantity, damaged }) => ({
        item,
        quantity: damaged ? -quantity : quantity,
        amount: damaged ? -100 : 100,
      })),
    });
  const event =
    what === 'move'
      ? movementEvent({ site, id: `m-${i}`, at, lines })
      : countEvent({ site, id: `c-${i}`, at, full: what === 'full', lines });
  if (location !== '') Object.assign(event.data, { location });
  return event;
};

/** Stock computed from all specs at once: the latest count and the changes after it. */
const model = (specs: Spec[]) => {
  type Change = { hour: number; delta: number };
  type Counted = { hour: number; id: string; quantity: number };
  const positions = new Map<string, { changes: Change[]; counts: Map<string, Counted> }>();
  const positionOf = (site: string, location: string, item: string) => {
    const key = `${site}/${location}/${item}`;
    const position = positions.get(key) ?? { changes: [], counts: new Map<string, Counted>() };
    positions.set(key, position);
    return position;
  };
  for (const [i, { what, site, location, hour, lines, fate }] of specs.entries())
    for (const { item, quantity, damaged } of lines) {
      if (what === 'move') positionOf(site, location, item).changes.push({ hour, delta: quantity });
      if (what === 'sale' && !damaged) positionOf(site, '', item).changes.push({ hour, delta: -quantity });
      if (what !== 'count' && what !== 'full') continue;
      const { counts } = positionOf(site, location, item);
      if (fate === 'voided') continue;
      const before = counts.get(`c-${i}`)?.quantity ?? 0;
      counts.set(`c-${i}`, { hour, id: `c-${i}`, quantity: before + quantity });
    }
  for (const [i, { what, site, location, hour, fate }] of specs.entries())
    if (what === 'full' && fate !== 'voided')
      for (const [key, { counts }] of positions)
        if (key.startsWith(`${site}/${location}/`) && !counts.has(`c-${i}`))
          counts.set(`c-${i}`, { hour, id: `c-${i}`, quantity: 0 });
  const time = (hour: number) => new Date(day + hour * hourMs);
  return Object.fromEntries(
    [...positions].sort().map(([key, { changes, counts }]) => {
      const last = [...counts.values()].sort((a, b) => a.hour - b.hour || (a.id < b.id ? -1 : 1)).at(-1);
      const after = changes.filter(({ hour }) => last === undefined || hour > last.hour);
      const row = {
        on_hand: (last?.quantity ?? 0) + after.reduce((sum, { delta }) => sum + delta, 0),
        count_at: last === undefined ? null : time(last.hour),
        count_key: last?.id ?? null,
      };
      return [key, row];
    }),
  );
};

/** What a person does on the dashboard, and the ledger at its next poll. */
const decide = async (site: string, id: string, voided: boolean): Promise<void> => {
  await database.pool.query(
    `insert into count_void (site_id, event_id, voided, reason) select site_id, $2, $3, 'a test' from site where name = $1`,
    [site, id, voided],
  );
  await createCountVoids({ pool: database.pool, clock: systemClock, log: createLog('test', 'silent') })();
};

test('H5 stock depends on the set of events and voids of counts alone, not on their order or on when deltas are merged', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEvent, { minLength: 1, maxLength: 30, size: 'max' }),
      fc.array(fc.nat(1_000_000), { minLength: 30, maxLength: 30 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 5 }),
      async (specs, keys, sliceSize, mergeTurn) => {
        await database.empty();
        const apply = await ledger();
        const shuffled = specs
          .map((spec, i) => ({ spec, event: eventOf(spec, i), key: keys[i] as number, i }))
          .sort((a, b) => a.key - b.key || a.i - b.i);
        const restoring: { site: string; id: string }[] = [];
        const restore = async () => {
          for (const { site, id } of restoring.splice(0)) await decide(site, id, false);
        };
        for (let i = 0; i < shuffled.length; i += sliceSize) {
          const slice = shuffled.slice(i, i + sliceSize);
          await apply(slice.map(({ event }) => event));
          if (i % 2 === 0) await restore();
          for (const { spec, event } of slice) {
            if (!['count', 'full'].includes(spec.what) || spec.fate === 'stays') continue;
            await decide(spec.site, event.id, true);
            if (spec.fate === 'restored') restoring.push({ site: spec.site, id: event.id });
          }
          if ((i / sliceSize) % 3 === mergeTurn) await mergeDeltas(database.pool, { items: 0, seconds: 0 });
        }
        await restore();
        const found = async (columns: string, table: string) => {
          const rows = await all(`select site.name || '/' || location || '/' || item.name as key,
              (count_quantity + delta_since)::int as on_hand, ${columns}
            from ${table} join site using (site_id) join item using (item_id)`);
          return Object.fromEntries(rows.map(({ key, ...row }) => [key, row]));
        };
        const expected = model(specs);
        expect(await found('count_at', 'stock')).toEqual(
          Object.fromEntries(Object.entries(expected).map(([key, { count_key, ...row }]) => [key, row])),
        );
        await mergeDeltas(database.pool, { items: 0, seconds: 0 });
        expect(await found('count_at, count_key', 'stock_merged')).toEqual(expected);
        expect(await all('select 1 from stock_pending union all select 1 from item_day_pending')).toEqual([]);
      },
    ),
    { numRuns: 80 },
  );
}, 180_000);

test('stock is paged in one order, over sites, items and locations', async () => {
  await database.pool.query(`
    insert into site (name) select 'store-' || n from generate_series(1, 4) n;
    insert into item (name) select 'item-' || n from generate_series(1, 5) n;
    insert into stock_merged (site_id, location, item_id, delta_since)
    select s, location, i, case when i = 3 then -s else s end
    from generate_series(4, 1, -1) s, unnest(array['', 'back', 'cellar']) location, generate_series(5, 1, -1) i`);
  type Ask = Parameters<typeof readStock>[1];
  const walk = async (ask: Pick<Ask, 'siteIds' | 'item' | 'negativeOnly'>) => {
    const found: string[] = [];
    let after: Ask['after'];
    for (let page = 0; page < 100; page++) {
      const rows = await readStock(database.pool, { ...ask, after, limit: 4 });
      found.push(...rows.map((row) => `${row.siteId} ${row.item} ${row.location} ${row.onHand}`));
      after = rows.at(-1);
      if (after === undefined) break;
    }
    return found;
  };
  const locations = ['', 'back', 'cellar'];
  const expected = (sites: number[], items: number[]) =>
    sites.flatMap((s) =>
      items.flatMap((i) => locations.map((location) => `${s} item-${i} ${location} ${i === 3 ? -s : s}`)),
    );
  const every = { siteIds: [4, 2, 3, 1], item: undefined, negativeOnly: false };
  expect(await walk(every)).toEqual(expected([1, 2, 3, 4], [1, 2, 3, 4, 5]));
  expect(await walk({ ...every, item: 'item-2' })).toEqual(expected([1, 2, 3, 4], [2]));
  expect(await walk({ ...every, siteIds: [2, 4], item: 'item-2' })).toEqual(expected([2, 4], [2]));
  expect(await walk({ ...every, negativeOnly: true })).toEqual(expected([1, 2, 3, 4], [3]));
  expect(await walk({ ...every, item: 'no such item' })).toEqual([]);
});

test('H5 a site whose deltas cannot be merged delays no other site and loses none of them', async () => {
  const apply = await ledger();
  await apply([sale(day), sale(day, { site: south })]);
  // Their sum exceeds int8: the merge of this site fails.
  await database.pool.query(`insert into stock_pending (site_id, location, items, deltas)
    select site_id, '', array[1, 1], array[9223372036854775807, 9223372036854775807] from site where name = '${north}'`);
  const everything = { items: 0, seconds: 0 };
  await expect(mergeDeltas(database.pool, everything)).rejects.toMatchObject({ code: '22003' });
  expect(
    await all('select name, count(*)::int as rows from stock_pending join site using (site_id) group by 1'),
  ).toEqual([{ name: north, rows: 2 }]);
  await database.pool.query('delete from stock_pending where cardinality(items) = 2');
  await mergeDeltas(database.pool, everything);
  expect(await all('select count(*)::int as rows from stock_pending')).toEqual([{ rows: 0 }]);
  expect(await onHand()).toEqual({ 'store-0001 tea': -1_000, 'store-0002 tea': -1_000 });
});

test('deltas stay pending until there are many or old ones', async () => {
  const apply = await ledger();
  await apply([sale(day)]);
  const pending = async () =>
    (await all('select 1 from stock_pending union all select 1 from item_day_pending')).length;
  await mergeDeltas(database.pool, { items: 3, seconds: 60 });
  expect(await pending()).toBe(2);
  await mergeDeltas(database.pool, { items: 2, seconds: 60 });
  expect(await pending()).toBe(0);
  await apply([sale(day)]);
  await mergeDeltas(database.pool, { items: 3, seconds: 0 });
  expect(await pending()).toBe(0);
  expect(await all('select lines, units from item_day')).toEqual([{ lines: '2', units: '2000' }]);
});

test('H5 a stock id is unique at its site whatever its day: a movement stamped again after midnight is booked once', async () => {
  const apply = await ledger();
  const moved = (at: number, site = north) =>
    movementEvent({ site, id: 'mv-77', at, lines: [{ item: 'tea', quantity: 10_000 }] });
  const lateEvening = day + dayMs - 1_000;
  await apply([moved(lateEvening)]);
  // Sent again as it was, stamped again after midnight, and twice in one slice; another site may use the same id.
  await apply([
    moved(lateEvening),
    moved(day + dayMs + 1_000),
    moved(day + dayMs + 2_000),
    moved(lateEvening, south),
  ]);
  expect(await onHand()).toEqual({ 'store-0001 tea': 10_000, 'store-0002 tea': 10_000 });
  expect(
    await all(
      'select site.name, applied::int, repeated::int, conflicting::int from source join site using (site_id) order by 1',
    ),
  ).toEqual([
    { name: north, applied: 1, repeated: 1, conflicting: 2 },
    { name: south, applied: 1, repeated: 0, conflicting: 0 },
  ]);
});

test('H5 two copies of a stock id on different days in one slice are told apart there as well', async () => {
  const apply = await ledger();
  const moved = (at: number) =>
    movementEvent({ site: north, id: 'mv-1', at, lines: [{ item: 'tea', quantity: 10_000 }] });
  await apply([moved(day), moved(day + dayMs)]);
  expect(await onHand()).toEqual({ 'store-0001 tea': 10_000 });
  expect(await all('select event_id from conflict')).toEqual([{ event_id: 'mv-1' }]);
});

test('H5 a count of the year 2099, stored before dates were checked, freezes its item until a person voids it, and can be restored', async () => {
  const apply = await ledger();
  await apply([count(day), count(day, { item: 'milk', quantity: 9_000 }), sale(day + hourMs)]);
  // As an earlier ledger stored it.
  const frozen = count(day + 2 * hourMs, { quantity: 70_000 });
  await apply([frozen]);
  await database.pool.query(`update stock_merged set count_at = '2099-01-01' where count_key = '${frozen.id}';
    update stock_count set at = '2099-01-01', suspect = true where event_id = '${frozen.id}';
    update site set last_count_at = '2099-01-01'`);
  await apply([sale(day + 3 * hourMs), sale(day + 3 * hourMs, { item: 'milk' })]);
  expect(await onHand()).toEqual({ 'store-0001 milk': 8_000, 'store-0001 tea': 70_000 });
  await decide(north, frozen.id, true);
  expect(await onHand()).toEqual({ 'store-0001 milk': 8_000, 'store-0001 tea': 48_000 });
  expect(await all('select last_count_at from site')).toEqual([{ last_count_at: new Date(day) }]);
  // A later count determines stock again, and so does a sale after it.
  await apply([count(day + 4 * hourMs, { quantity: 30_000 }), sale(day + 5 * hourMs)]);
  expect(await onHand()).toMatchObject({ 'store-0001 tea': 29_000 });
  await decide(north, frozen.id, false);
  expect(await onHand()).toMatchObject({ 'store-0001 tea': 70_000 });
  expect(
    await all('select voided, applied_at is not null as applied from count_void order by count_void_id'),
  ).toEqual([
    { voided: true, applied: true },
    { voided: false, applied: true },
  ]);
});

test('H5 without its only count, an item has the sum of all its changes, however long ago', async () => {
  const apply = await ledger();
  const wrong = count(day, { full: true });
  await apply([
    sale(day - 400 * dayMs),
    sale(day - 40 * dayMs),
    wrong,
    sale(day + hourMs),
    sale(day + hourMs, { item: 'milk' }),
  ]);
  expect(await onHand()).toEqual({ 'store-0001 milk': -1_000, 'store-0001 tea': 49_000 });
  await decide(north, wrong.id, true);
  await apply([sale(day + 2 * hourMs)]);
  expect(await onHand()).toEqual({ 'store-0001 milk': -1_000, 'store-0001 tea': -4_000 });
  expect(await all('select 1 from full_count')).toEqual([]);
});
