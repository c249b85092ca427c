import type {
  BranchEvent,
  CountEvent,
  MovementEvent,
  TransactionEvent,
} from '@branchline/contracts/parse.ts';

/**
 * What the books must hold, derived from the answers that tills got. Written from docs and contracts, with none of the code
 * that carries, reads or adds up events, so that a mistake there is not repeated here.
 */
export type Sale = { transactions: number; voids: number; lines: number; units: number; gross: number };

export type Fact = {
  id: string;
  site: string;
  /** The business day in the journal's key. */
  day: string;
  /** When an agent answered, in milliseconds of this process's monotonic clock. */
  acceptedAt: number;
};

type Change = { at: number; location: string; item: string; quantity: number };
type Count = { id: string; at: number; location: string; isFull: boolean; quantities: Map<string, number> };
type SiteStock = { changes: Change[]; counts: Count[] };

const thousandths = (text: string): number => Math.round(Number(text) * 1_000);

type Item = { itemId?: string | undefined; gtin?: string | undefined };
const nameOf = (item: Item): string => item.itemId ?? item.gtin ?? '';

const add = (sums: Map<string, Sale>, key: string, sale: Sale): void => {
  const sum = sums.get(key) ?? { transactions: 0, voids: 0, lines: 0, units: 0, gross: 0 };
  sum.transactions += sale.transactions;
  sum.voids += sale.voids;
  sum.lines += sale.lines;
  sum.units += sale.units;
  sum.gross += sale.gross;
  sums.set(key, sum);
};

type Totals = {
  windows: Map<string, Sale>;
  items: Map<string, Sale>;
  stock: Map<string, SiteStock>;
};

const stockOf = ({ stock }: Totals, site: string): SiteStock => {
  const found = stock.get(site) ?? { changes: [], counts: [] };
  stock.set(site, found);
  return found;
};

const addTransaction = (totals: Totals, start: string, at: number, event: TransactionEvent): void => {
  const { data } = event;
  if (data.training === true) return;
  const site = data.site.storeId;
  const isVoid = event.type.includes('.voided.');
  const lines = data.lines.filter(({ voided }) => voided !== true);
  add(totals.windows, `${site} ${start} ${data.currency}`, {
    transactions: isVoid ? 0 : 1,
    voids: isVoid ? 1 : 0,
    lines: lines.length,
    units: lines.reduce((sum, { quantity }) => sum + thousandths(quantity), 0),
    gross: data.totals.gross,
  });
  for (const line of lines) {
    const item = nameOf(line.item);
    const quantity = thousandths(line.quantity);
    add(totals.items, `${site} ${data.businessDay} ${item} ${data.currency}`, {
      ...{ transactions: 0, voids: 0, lines: 1, units: quantity },
      gross: line.extendedAmount,
    });
    if (line.lineType === 'SALE' || line.returnDisposition === 'sellable_accessible')
      stockOf(totals, site).changes.push({ at, location: '', item, quantity: -quantity });
  }
};

const addCount = (totals: Totals, { id, data }: CountEvent): void => {
  const { location = '', lines, scope, countedAt } = data;
  const quantities = new Map<string, number>();
  for (const line of lines) {
    const item = nameOf(line.item);
    quantities.set(item, (quantities.get(item) ?? 0) + thousandths(line.countedQuantity));
  }
  const isFull = scope === 'LOCATION_FULL';
  stockOf(totals, data.site.storeId).counts.push({
    ...{ id, at: Date.parse(countedAt), location, isFull, quantities },
  });
};

const addMovement = (totals: Totals, at: number, { data }: MovementEvent): void => {
  const { location = '', lines } = data;
  for (const line of lines)
    stockOf(totals, data.site.storeId).changes.push({
      ...{ at, location, item: nameOf(line.item) },
      quantity: thousandths(line.quantity),
    });
};

const dayOf = (event: BranchEvent): string => {
  if ('businessDay' in event.data) return event.data.businessDay;
  return ('countedAt' in event.data ? event.data.countedAt : event.time).slice(0, 10);
};

export const createAccepted = (intervalMs: number) => {
  const facts = new Map<string, Fact>();
  const totals: Totals = { windows: new Map(), items: new Map(), stock: new Map() };
  return {
    note: (event: BranchEvent, acceptedAt: number): void => {
      const site = event.data.site.storeId;
      const key = `${site} ${event.id}`;
      if (facts.has(key)) throw new Error(`the simulator made ${key} twice`);
      const at = Date.parse(event.time);
      const start = new Date(Math.floor(at / intervalMs) * intervalMs).toISOString();
      if ('totals' in event.data) addTransaction(totals, start, at, event as TransactionEvent);
      else if ('movementId' in event.data) addMovement(totals, at, event as MovementEvent);
      else if ('countedAt' in event.data) addCount(totals, event as CountEvent);
      facts.set(key, { id: event.id, site, day: dayOf(event), acceptedAt });
    },
    facts: facts as ReadonlyMap<string, Fact>,
    windows: totals.windows as ReadonlyMap<string, Sale>,
    items: totals.items as ReadonlyMap<string, Sale>,
    /** `redated`: the times that the books assign to counts whose clock they suspect, by site and id. */
    onHand: (redated: ReadonlyMap<string, number> = new Map()) => {
      const onHand = new Map<string, number>();
      for (const [site, of] of totals.stock)
        for (const [key, quantity] of onHandOf(site, of, redated)) onHand.set(`${site} ${key}`, quantity);
      return onHand;
    },
  };
};
export type Accepted = ReturnType<typeof createAccepted>;

/**
 * The latest count and every change after it; of two counts at the same moment, the one with the greater id. Zeros are left
 * out.
 */
const onHandOf = (site: string, { changes, counts }: SiteStock, redated: ReadonlyMap<string, number>) => {
  const dated = counts.map((count) => ({ ...count, at: redated.get(`${site} ${count.id}`) ?? count.at }));
  const latest = new Map<string, { at: number; id: string; quantity: number }>();
  const keys = new Set(changes.map(({ location, item }) => `${location}/${item}`));
  for (const { location, quantities } of dated)
    for (const item of quantities.keys()) keys.add(`${location}/${item}`);
  const keysAt = Map.groupBy(keys, (key) => key.slice(0, key.indexOf('/')));
  for (const { location, at, id, isFull, quantities } of dated) {
    const counted = isFull
      ? (keysAt.get(location) ?? [])
      : [...quantities.keys()].map((item) => `${location}/${item}`);
    for (const key of counted) {
      const before = latest.get(key);
      if (before !== undefined && (before.at > at || (before.at === at && before.id > id))) continue;
      latest.set(key, { at, id, quantity: quantities.get(key.slice(location.length + 1)) ?? 0 });
    }
  }
  const sums = new Map([...latest].map(([key, { quantity }]) => [key, quantity]));
  for (const { at, location, item, quantity } of changes) {
    const key = `${location}/${item}`;
    if (at > (latest.get(key)?.at ?? Number.NEGATIVE_INFINITY))
      sums.set(key, (sums.get(key) ?? 0) + quantity);
  }
  return [...sums].filter(([, quantity]) => quantity !== 0);
};
