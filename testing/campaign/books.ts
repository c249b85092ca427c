import pg from 'pg';
import type { Fact, Sale } from './accepted.ts';
import { poisonMark } from './input-faults.ts';

/** What the books hold, read with the witness's own SQL. Every query fails within seconds if PostgreSQL does not answer. */
const answerMsMax = 20_000;

type SaleRow = { key: string } & Record<keyof Sale, string>;

const salesOf = (rows: readonly SaleRow[]): Map<string, Sale> =>
  new Map(
    rows.map(({ key, transactions, voids, lines, units, gross }) => [
      key,
      {
        ...{ transactions: Number(transactions), voids: Number(voids), lines: Number(lines) },
        ...{ units: Number(units), gross: Number(gross) },
      },
    ]),
  );

const journalKeys = `select s.name || ' ' || j.event_id as key from journal j join site s using (site_id)`;

const windows = `
  select s.name || ' ' || to_char(window_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS".000Z"') || ' ' || currency as key,
    transactions, voids, lines, units, gross
  from sales_window join site s using (site_id)
  where (transactions, voids, lines, units, gross) <> (0, 0, 0, 0, 0)`;

const items = `
  select s.name || ' ' || business_day || ' ' || i.name || ' ' || currency as key,
    0 as transactions, 0 as voids, lines, units, amount as gross
  from item_day join site s using (site_id) join item i using (item_id)`;

const onHand = `
  select s.name || ' ' || location || '/' || i.name as key, (count_quantity + delta_since)::text as quantity
  from stock join site s using (site_id) join item i using (item_id)
  where count_quantity + delta_since <> 0`;

/** Counts whose clock the books suspect get another time (flag 8). */
const redated = `
  select s.name || ' ' || event_id as key, extract(epoch from at) * 1000 as at
  from journal join site s using (site_id) where kind in (6, 7) and flags & 8 = 8`;

/** Rows that should not exist: conflicts, and quarantine of anything but deliberate poison. */
const unwanted = `
  select (select count(*) from conflict) as conflicts,
    (select count(*) from quarantine where position(convert_to('${poisonMark}', 'UTF8') in raw) = 0) as quarantined,
    (select coalesce(sum(upper(gap) - lower(gap)), 0) from source,
      unnest(int8multirange(int8range(1, greatest(reported_highest, coalesce(upper(seen) - 1, 0)) + 1)) - seen) gap
      where agent <> '${poisonMark}') as missing`;

/** For the running check: cheap enough for every few seconds, and valid whatever is in transit. */
const running = `
  select (select count(*) from journal) as journal,
    (select count(*) from conflict) as conflicts,
    (select count(*) from quarantine where position(convert_to('${poisonMark}', 'UTF8') in raw) = 0) as quarantined,
    (select coalesce(sum(gross), 0) from journal where kind in (1, 2)) as sold,
    (select coalesce(sum(gross), 0) from sales_window) as totalled`;

const numbersOf = <T extends object>(row: T): Record<keyof T, number> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])) as Record<
    keyof T,
    number
  >;

export const openBooks = (postgresUrl: string) => {
  const pool = new pg.Pool({
    ...{ connectionString: postgresUrl, max: 3, application_name: 'campaign-witness' },
    ...{ query_timeout: answerMsMax, connectionTimeoutMillis: answerMsMax },
  });
  pool.on('error', () => {});

  /** One snapshot, so that all tables are compared at the same moment. */
  const inSnapshot = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    const ignore = () => {};
    client.on('error', ignore);
    let isBroken = true;
    try {
      await client.query('begin isolation level repeatable read read only');
      const result = await work(client);
      await client.query('commit');
      isBroken = false;
      return result;
    } finally {
      client.off('error', ignore);
      client.release(isBroken);
    }
  };

  return {
    pool,
    which: async (facts: readonly Fact[]): Promise<string[]> => {
      if (facts.length === 0) return [];
      const { rows } = await pool.query<{ key: string }>(
        `${journalKeys} join unnest($1::text[], $2::date[], $3::text[]) as asked(site, day, id)
         on s.name = asked.site and j.business_day = asked.day and j.event_id = asked.id`,
        [facts.map(({ site }) => site), facts.map(({ day }) => day), facts.map(({ id }) => id)],
      );
      return rows.map(({ key }) => key);
    },
    running: () =>
      inSnapshot(async (client) =>
        numbersOf((await client.query(running)).rows[0] as Record<string, string>),
      ),
    everything: () =>
      inSnapshot(async (client) => ({
        journal: (await client.query<{ key: string }>(journalKeys)).rows.map(({ key }) => key),
        windows: salesOf((await client.query<SaleRow>(windows)).rows),
        items: salesOf((await client.query<SaleRow>(items)).rows),
        onHand: new Map(
          (await client.query<{ key: string; quantity: string }>(onHand)).rows.map(({ key, quantity }) => [
            key,
            Number(quantity),
          ]),
        ),
        redated: new Map(
          (await client.query<{ key: string; at: string }>(redated)).rows.map(({ key, at }) => [
            key,
            Number(at),
          ]),
        ),
        unwanted: numbersOf((await client.query(unwanted)).rows[0] as Record<string, string>),
      })),
    close: () => pool.end(),
  };
};
export type Books = ReturnType<typeof openBooks>;
