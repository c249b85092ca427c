import type { countEvent, movementEvent, TestEvent, transactionEvent } from './events.ts';

/** What the books must hold, computed from the set of events without any code of the hub. */

type Transaction = ReturnType<typeof transactionEvent>;
type Movement = ReturnType<typeof movementEvent>;
type Count = ReturnType<typeof countEvent>;
const isTransaction = (event: TestEvent): event is Transaction => 'totals' in event.data;
const isMovement = (event: TestEvent): event is Movement => 'movementId' in event.data;
const isCount = (event: TestEvent): event is Count => 'scope' in event.data;

const thousandths = (text: string) => Math.round(Number(text) * 1000);

const put = <T>(map: Map<string, T[]>, key: string, value: T) =>
  map.set(key, [...(map.get(key) ?? []), value]);

/** Rows in the order of their keys, numbers as text: so PostgreSQL's driver gives an int8. */
const rowsOf = (rows: ReadonlyMap<string, object>) =>
  [...rows.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [key, typeof value === 'number' ? String(value) : value]),
      ),
    );

const windowsOf = (transactions: readonly Transaction[], intervalMs: number) => {
  const none = { currency: 'EUR', transactions: 0, voids: 0, lines: 0, units: 0, gross: 0 };
  const windows = new Map<string, typeof none & { site: string; start: string }>();
  for (const { type, time, data } of transactions) {
    const site = data.site.storeId;
    const start = String(Math.floor(Date.parse(time) / intervalMs) * (intervalMs / 1000));
    const window = windows.get(`${site} ${start}`) ?? { site, start, ...none };
    windows.set(`${site} ${start}`, window);
    if (type.includes('voided')) window.voids += 1;
    else window.transactions += 1;
    window.gross += data.totals.gross;
    window.lines += data.lines.length;
    for (const line of data.lines) window.units += thousandths(line.quantity);
  }
  return rowsOf(windows);
};

const itemDaysOf = (transactions: readonly Transaction[]) => {
  const none = { lines: 0, units: 0, amount: 0 };
  const days = new Map<string, typeof none & { site: string; day: string; item: string }>();
  for (const { data } of transactions)
    for (const line of data.lines) {
      const named = { site: data.site.storeId, day: data.businessDay, item: line.item.itemId };
      const key = Object.values(named).join(' ');
      const total = days.get(key) ?? { ...named, ...none };
      days.set(key, total);
      total.lines += 1;
      total.units += thousandths(line.quantity);
      total.amount += line.extendedAmount;
    }
  return rowsOf(days);
};

type Change = { at: number; delta: number };
type Counted = { at: number; id: string; quantity: number };

/** Changes and counts by site and item, full counts by site; a full count counts what it does not list as zero. */
const stockEventsOf = (events: readonly TestEvent[]) => {
  const changes = new Map<string, Change[]>();
  const counts = new Map<string, Counted[]>();
  const fulls = new Map<string, Counted[]>();
  const names = new Map<string, { site: string; item: string }>();
  const keyOf = (event: TestEvent, line: { item: { itemId: string } }) => {
    const named = { site: event.data.site.storeId, item: line.item.itemId };
    const key = `${named.site} ${named.item}`;
    names.set(key, named);
    return key;
  };
  for (const event of events) {
    const at = Date.parse(event.time);
    if (isTransaction(event))
      for (const line of event.data.lines) {
        const key = keyOf(event, line);
        const quantity = thousandths(line.quantity);
        const moves = line.lineType === 'SALE' || 'returnDisposition' in line;
        if (moves && quantity !== 0) put(changes, key, { at, delta: -quantity });
      }
    if (isMovement(event))
      for (const line of event.data.lines)
        put(changes, keyOf(event, line), { at, delta: thousandths(line.quantity) });
    if (isCount(event)) {
      if (event.data.scope === 'LOCATION_FULL')
        put(fulls, event.data.site.storeId, { at, id: event.id, quantity: 0 });
      for (const [key, lines] of Map.groupBy(event.data.lines, (line) => keyOf(event, line))) {
        const quantity = lines.reduce((sum, line) => sum + thousandths(line.countedQuantity), 0);
        put(counts, key, { at, id: event.id, quantity });
      }
    }
  }
  return { changes, counts, fulls, names };
};

/** The latest count and every change after it; of two counts at one moment, that of the greater id. */
const stockOf = (events: readonly TestEvent[]) => {
  const { changes, counts, fulls, names } = stockEventsOf(events);
  const rows = new Map<string, { site: string; item: string; on_hand: number }>();
  for (const [key, { site, item }] of names) {
    const own = counts.get(key) ?? [];
    const implied = (fulls.get(site) ?? []).filter((full) => !own.some(({ id }) => id === full.id));
    const count = [...own, ...implied].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)).at(-1);
    const after = (changes.get(key) ?? []).filter(({ at }) => count === undefined || at > count.at);
    const on_hand = (count?.quantity ?? 0) + after.reduce((sum, { delta }) => sum + delta, 0);
    // An item that only a return of damaged goods names has no stock row: its stock is zero in both.
    if (on_hand !== 0) rows.set(key, { site, item, on_hand });
  }
  return rowsOf(rows);
};

export const expectedTotals = (events: readonly TestEvent[], intervalMs: number) => {
  const transactions = events.filter(isTransaction);
  return {
    windows: windowsOf(transactions, intervalMs),
    items: itemDaysOf(transactions),
    stock: stockOf(events),
  };
};
