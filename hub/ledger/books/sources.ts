import type { Range } from '@branchline/kernel/ranges.ts';
import type pg from 'pg';
import { int4s, int8s, texts, uuids } from '../../postgres/columns.ts';
import type { SourceSlice } from '../intake/slice.ts';

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

/**
 * Ids of sources. Their rows are created outside the slice's transaction, like names: a row without seqs is harmless; every
 * cached id is of a committed row, which a slice of another partition can lock; and a slice that creates rows while it
 * holds others could deadlock with a status that does the same.
 */
export const createSourceIds = (pool: pg.Pool): SourceIds => {
  const known = new Map<string, number>();
  return {
    of: async (topicPartition, groups, sites) => {
      const unknown = groups.filter((group) => !known.has(keyOf(group)));
      if (unknown.length > 0)
        for (const [key, id] of await openSources(pool, topicPartition, unknown, sites)) known.set(key, id);
      return groups.map((group) => {
        const id = known.get(keyOf(group));
        if (id === undefined) throw new Error(`source ${keyOf(group)} was neither found nor created`);
        return id;
      });
    },
    forget: () => known.clear(),
  };
};

const openSources = async (
  pool: pg.Pool,
  topicPartition: TopicPartition,
  groups: SourceSlice[],
  sites: ReadonlyMap<string, number>,
): Promise<[string, number][]> => {
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
    partition: number | null;
  }>(
    `select source_id, site_id, agent, stream, epoch, partition from source join ${wanted} using (site_id, agent, stream, epoch)`,
    columns,
  );
  const found = new Map(rows.map((row) => [`${row.site_id}/${row.agent}/${row.stream}/${row.epoch}`, row]));
  const opened = groups.flatMap((group) => {
    const { site, agent, stream, epoch } = group.source;
    const row = found.get(`${sites.get(site)}/${agent}/${stream}/${epoch}`);
    return row === undefined ? [] : [{ group, row }];
  });
  // The events of its source do not come from the dead-letter topic.
  const unplaced = opened.filter(
    ({ group, row }) => row.partition === null && group.deadLetters.length === 0,
  );
  if (unplaced.length > 0) {
    // In the order of ids, as everywhere.
    await pool.query(
      `update source set topic = $2, partition = $3 where source_id in (
         select source_id from source where source_id = any($1::int4[]) order by source_id for update)`,
      [int4s(unplaced.map(({ row }) => row.source_id)), topicPartition.topic, topicPartition.partition],
    );
  }
  return opened.map(({ group, row }) => [keyOf(group), row.source_id]);
};

/**
 * Locks the slice's sources in the order of their ids and returns which of its seqs are novel. The difference is computed
 * once per source, not per event: with thousands of gaps that takes 29 ms instead of two seconds.
 */
export const lockSources = async (
  client: pg.ClientBase,
  groups: SourceSlice[],
  sourceIds: number[],
): Promise<LockedSource[]> => {
  if (groups.length === 0) return [];
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
  const { rows } = await client.query<{ source_id: number; first: string | null; last: string | null }>({
    name: 'lock-sources',
    text: `
      with batch as (
        select source_id, range_agg(int8range(first, last, '[]')) as seqs
        from unnest($1::int4[], $2::int8[], $3::int8[]) as t(source_id, first, last) group by source_id),
      locked as (
        select s.source_id, s.seen, b.seqs from source s join batch b using (source_id) order by s.source_id for update of s)
      select source_id, lower(novel) as first, upper(novel) - 1 as last
      from locked left join lateral unnest(seqs - seen) as novel on true`,
    values: [int4s(ids), int8s(firsts), int8s(lasts)],
  });
  const novel = new Map<number, Range[]>();
  for (const row of rows) {
    const ranges = novel.get(row.source_id) ?? [];
    if (row.first !== null) ranges.push([Number(row.first), Number(row.last)]);
    novel.set(row.source_id, ranges);
  }
  return groups.map((group, i) => {
    const sourceId = sourceIds[i] as number;
    const ranges = novel.get(sourceId);
    // Without this check an unknown source would look like one with nothing novel, and its events would be skipped for ever.
    if (ranges === undefined) throw new Error(`source ${keyOf(group)} has no row ${sourceId}`);
    return { group, sourceId, novel: ranges };
  });
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
