import type pg from 'pg';

/**
 * Books of a chain whose agents have started once a day for a long time: per site and day one source of each stream with 1,000
 * events. The agents list those of the last three days, as long as an archive is kept.
 */
export type History = {
  sites: number;
  days: number;
  /** The day of the last starts; the agents were last heard from then. */
  lastDay: Date;
  /** Earlier days whose sources are finished already. */
  finishedDays?: number;
};

export const listedDays = 3;
const streams = `(values (0, 'pos'), (1, 'stock')) t(n, stream)`;
/** Ids count days, then sites, then streams, in the order in which sources are opened. */
const idOf = (day: string, site: string, stream: string) =>
  `((${day}) * $1 + ${site} - 1) * 2 + ${stream} + 1`;

const sites = `insert into site (site_id, name, first_heard_at) overriding system value
  select n, 'store-' || lpad(n::text, 4, '0'), '2020-01-01' from generate_series(1, $1::int) n`;

/** `$2` and `$3`: the first and last of some days, counted from 0. */
const sourcesOf = `
  insert into source (source_id, site_id, agent, stream, epoch, topic, partitions, seen, applied, redelivered, reported_highest,
    reported_recorded_to, reported_at, opened_at, heard_at, said_to, complete_to, finished_at) overriding system value
  select ${idOf('day', 'site', 'n')}, site, 'edge-1', stream, gen_random_uuid(), 'branchline.' || stream || '.v1', array[site % 8],
    '{[1,1001)}', 1000, 1, 1000, 1000, heard, heard - interval '12 hours', heard, heard, heard,
    case when day < $5 then heard + interval '1 day' end
  from generate_series($2::int, $3::int) day, generate_series(1, $1::int) site, ${streams},
    lateral (select $4::timestamptz + (day + $6::int) * interval '1 day' as heard) h
  order by day, site, n`;

const sums = `
  insert into finished_sum (site_id, agent, stream, sources, events, applied, redelivered, repeated, conflicting, quarantined, deadlettered)
  select site, 'edge-1', stream, $2, 1000 * $2::int8, 1000 * $2::int8, $2, 0, 0, 0, 0
  from generate_series(1, $1::int) site, ${streams} where $2 > 0`;

const agents = `
  insert into agent (site_id, name, said, session, version, boot_at, heard_at, said_to, clock_ahead_ms, pending, database_bytes, sources)
  select site, 'edge-1', 'alive', gen_random_uuid(), '0.1.0', $4, $4, $4, -20, 0, 4096, (
    select array_agg(${idOf('day', 'site', 'n')}) from generate_series($2::int, $3::int) day, ${streams})
  from generate_series(1, $1::int) site`;

/** `onDay` is called after every batch of days. */
export const fillHistory = async (
  client: pg.ClientBase | pg.Pool,
  { sites: sitesCount, days, lastDay, finishedDays = 0 }: History,
  onDay: (day: number) => void = () => {},
): Promise<void> => {
  await client.query(sites, [sitesCount]);
  const daysTogether = Math.max(1, Math.floor(100_000 / sitesCount));
  for (let first = 0; first < days; first += daysTogether) {
    const last = Math.min(days, first + daysTogether) - 1;
    await client.query(sourcesOf, [sitesCount, first, last, lastDay, finishedDays, 1 - days]);
    onDay(last + 1);
  }
  await client.query(sums, [sitesCount, finishedDays]);
  await client.query(agents, [sitesCount, Math.max(0, days - listedDays), days - 1, lastDay]);
  for (const [table, column] of [
    ['site', 'site_id'],
    ['source', 'source_id'],
  ])
    await client.query(
      `select setval(pg_get_serial_sequence('${table}', '${column}'), max(${column})) from ${table}`,
    );
};
