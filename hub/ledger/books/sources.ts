import type { Range } from '@branchline/kernel/ranges.ts';
import type pg from 'pg';
import { int4s, int8s, texts, uuids } from '../../postgres/columns.ts';
import type { SourceSlice } from '../intake/slice.ts';
import { StaleIds } from './identity.ts';

/**
 * The `source` table: decides which deliveries are repeats of a seq, for ever (H1). A source's row holds the seqs taken as
 * ranges, so it grows with gaps, not with events; each start of an agent that accepts something adds a row (decision 001).
 * `freshDeliveries` (`../intake/slice.ts`) drops repeats within a slice, and `findRepeats` (`journal.ts`) finds the same
 * event under another seq.
 */
export type LockedSource = { group: SourceSlice; sourceId: number; novel: Range[] };

const keyOf = (group: SourceSlice): string => {
  const { site, agent, stream, epoch } = group.source;
  return `${site}/${agent}/${stream}/${epoch}`;
};

export type SourceIds = {
  /** The id of each group's source, in the order of the groups. */
  of(
    topicPartition: TopicPartition,
    groups: SourceSlice[],
    sites: ReadonlyMap<string, number>,
  ): Promise<number[]>;
  /** Drops the cache: the ids may belong to another database. */
  forget(): void;
};

type TopicPartition = { topic: string; partition: number };

/** `partitions`: those of its topic from which events of the source have come, as far as the database was told. */
type KnownSource = { id: number; partitions: Set<number> };

/** Above this size, about 40 MB, the cache is emptied: every start of an agent adds sources, and a hub runs for months. */
const cachedSourcesMax = 200_000;

/**
 * Ids of sources. Their rows are created outside the slice's transaction, like names: a row without seqs is harmless; every
 * cached id is of a committed row, which a slice of another partition can lock; and a slice that creates rows while it
 * holds others could deadlock with a status that does the same.
 */
export const createSourceIds = (pool: pg.Pool): SourceIds => {
  const known = new Map<string, KnownSource>();
  return {
    of: async ({ topic, partition }, groups, sites) => {
      if (known.size > cachedSourcesMax) known.clear();
      // A copy: another slice may empty the cache while this one waits.
      const own = new Map(groups.map((group) => [keyOf(group), known.get(keyOf(group))]));
      const unknown = groups.filter((group) => own.get(keyOf(group)) === undefined);
      if (unknown.length > 0)
        for (const [key, source] of await openSources(pool, unknown, sites)) {
          known.set(key, source);
          own.set(key, source);
        }
      const found = groups.map((group) => {
        const source = own.get(keyOf(group));
        if (source === undefined) throw new Error(`source ${keyOf(group)} was neither found nor created`);
        return source;
      });
      // The events of its source do not come from the dead-letter topic.
      const moved = found.filter(
        ({ partitions }, i) => groups[i]?.deadLetters.length === 0 && !partitions.has(partition),
      );
      if (moved.length > 0) {
        await notePartition(pool, { topic, partition }, moved);
        for (const { partitions } of moved) partitions.add(partition);
      }
      return found.map(({ id }) => id);
    },
    forget: () => known.clear(),
  };
};

/**
 * A source has one partition, until partitions are added to its topic: then its events may wait in the old one and in the
 * new one, and only what both have been read past can be missing.
 */
const notePartition = async (
  pool: pg.Pool,
  { topic, partition }: TopicPartition,
  sources: KnownSource[],
): Promise<void> => {
  // In the order of ids, as everywhere.
  await pool.query(
    `update source set topic = $2, partitions = partitions || $3::int4 where source_id in (
       select source_id from source where source_id = any($1::int4[]) order by source_id for update)
       and not partitions @> array[$3::int4]`,
    [int4s(sources.map(({ id }) => id)), topic, partition],
  );
};

const openSources = async (
  pool: pg.Pool,
  groups: SourceSlice[],
  sites: ReadonlyMap<string, number>,
): Promise<[string, KnownSource][]> => {
  const columns = [
    int4s(groups.map(({ source }) => sites.get(source.site) as number)),
    texts(groups.map(({ source }) => source.agent)),
    texts(groups.map(({ source }) => source.stream)),
    uuids(groups.map(({ source }) => source.epoch)),
  ];
  const wanted = `unnest($1::int4[], $2::text[], $3::text[], $4::uuid[]) as t(site_id, agent, stream, epoch)`;
  await pool.query(
    `insert into source (site_id, agent, stream, epoch) select * from ${wanted} order by 1, 2, 3, 4 on conflict do nothing`,
    columns,
  );
  const { rows } = await pool.query<{
    source_id: number;
    site_id: number;
    agent: string;
    stream: string;
    epoch: string;
    partitions: number[];
  }>(
    `select source_id, site_id, agent, stream, epoch, partitions from source join ${wanted} using (site_id, agent, stream, epoch)`,
    columns,
  );
  const found = new Map(rows.map((row) => [`${row.site_id}/${row.agent}/${row.stream}/${row.epoch}`, row]));
  return groups.flatMap((group): [string, KnownSource][] => {
    const { site, agent, stream, epoch } = group.source;
    const row = found.get(`${sites.get(site)}/${agent}/${stream}/${epoch}`);
    return row === undefined
      ? []
      : [[keyOf(group), { id: row.source_id, partitions: new Set(row.partitions) }]];
  });
};

/**
 * Locks the slice's sources in the order of their ids and returns which of its seqs are novel. The difference is computed once
 * per source, not per event: with thousands of gaps that takes 29 ms instead of two seconds. Rejects with `StaleIds` when a row
 * is not of the source that its id stands for, down to the name of its site. `database` is the identity of the transaction's
 * database, which spares comparing the slice's items one by one (K1).
 */
export const lockSources = async (
  client: pg.ClientBase,
  groups: SourceSlice[],
  sourceIds: number[],
  sites: ReadonlyMap<string, number>,
): Promise<{ database: string; locked: LockedSource[] }> => {
  if (groups.length === 0) return { database: '', locked: [] };
  const ids: number[] = [];
  const firsts: number[] = [];
  const lasts: number[] = [];
  for (const [i, group] of groups.entries()) {
    for (const [first, last] of group.seqs) {
      ids.push(sourceIds[i] as number);
      firsts.push(first);
      lasts.push(last);
    }
  }
  const { rows } = await client.query<{
    source_id: number;
    first: string | null;
    last: string | null;
    database: string;
  }>({
    name: 'lock-sources',
    text: `
      with batch as (
        select source_id, range_agg(int8range(first, last, '[]')) as seqs
        from unnest($1::int4[], $2::int8[], $3::int8[]) as t(source_id, first, last) group by source_id),
      wanted as (
        select * from unnest($4::int4[], $5::int4[], $6::text[], $7::text[], $8::text[], $9::uuid[])
          as t(source_id, site_id, site, agent, stream, epoch)),
      locked as (
        select s.source_id, s.seen, b.seqs
        from source s join batch b using (source_id) join wanted w using (source_id, site_id, agent, stream, epoch)
          join site on site.site_id = w.site_id and site.name = w.site
        order by s.source_id for update of s)
      select source_id, lower(novel) as first, upper(novel) - 1 as last, (select database_identity()) as database
      from locked left join lateral unnest(seqs - seen) as novel on true`,
    values: [
      int4s(ids),
      int8s(firsts),
      int8s(lasts),
      int4s(sourceIds),
      int4s(groups.map(({ source }) => sites.get(source.site) as number)),
      texts(groups.map(({ source }) => source.site)),
      texts(groups.map(({ source }) => source.agent)),
      texts(groups.map(({ source }) => source.stream)),
      uuids(groups.map(({ source }) => source.epoch)),
    ],
  });
  const novel = new Map<number, Range[]>();
  for (const row of rows) {
    const ranges = novel.get(row.source_id) ?? [];
    if (row.first !== null) ranges.push([Number(row.first), Number(row.last)]);
    novel.set(row.source_id, ranges);
  }
  const locked = groups.map((group, i) => {
    const sourceId = sourceIds[i] as number;
    const ranges = novel.get(sourceId);
    // Without this check an unknown source would look like one with nothing novel, and its events would be skipped for ever.
    if (ranges === undefined) throw new StaleIds(`source ${keyOf(group)} is not row ${sourceId}`);
    return { group, sourceId, novel: ranges };
  });
  return { database: rows[0]?.database ?? '', locked };
};

export type SourceTally = {
  sourceId: number;
  seqs: Range[];
  applied: number;
  redelivered: number;
  repeated: number;
  conflicting: number;
  quarantined: number;
  deadlettered: number;
};

/** Takes every seq of the slice, whatever became of its event: a bad one must not be requested again (H4). */
export const settleSources = async (client: pg.ClientBase, tallies: SourceTally[]): Promise<void> => {
  if (tallies.length === 0) return;
  const ranged = tallies.flatMap(({ sourceId, seqs }) =>
    seqs.map(([first, last]) => ({ sourceId, first, last })),
  );
  const column = (key: Exclude<keyof SourceTally, 'seqs'>) => int8s(tallies.map((tally) => tally[key]));
  await client.query({
    name: 'settle-sources',
    text: `
      with batch as (
        select source_id, range_agg(int8range(first, last, '[]')) as seqs
        from unnest($1::int4[], $2::int8[], $3::int8[]) as t(source_id, first, last) group by source_id)
      update source s set
        seen = s.seen + b.seqs, applied = s.applied + t.applied, redelivered = s.redelivered + t.redelivered,
        repeated = s.repeated + t.repeated, conflicting = s.conflicting + t.conflicting,
        quarantined = s.quarantined + t.quarantined, deadlettered = s.deadlettered + t.deadlettered
      from unnest($4::int4[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[])
             as t(source_id, applied, redelivered, repeated, conflicting, quarantined, deadlettered)
        join batch b using (source_id)
      where s.source_id = t.source_id`,
    values: [
      int4s(ranged.map((r) => r.sourceId)),
      int8s(ranged.map((r) => r.first)),
      int8s(ranged.map((r) => r.last)),
      int4s(tallies.map((tally) => tally.sourceId)),
      column('applied'),
      column('redelivered'),
      column('repeated'),
      column('conflicting'),
      column('quarantined'),
      column('deadlettered'),
    ],
  });
};
