import { randomUUID } from 'node:crypto';
import { finishSources } from '@branchline/hub/ledger/agents/finish-sources.ts';
import { readMarks } from '@branchline/hub/ledger/agents/marks.ts';
import { noteStatuses } from '@branchline/hub/ledger/agents/statuses.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { readBooks } from '@branchline/hub/ledger/intake/progress.ts';
import { readFleet } from '@branchline/hub/reports/io/fleet-query.ts';
import { dismissGap, readGaps } from '@branchline/hub/reports/io/gap-table.ts';
import { followCalendars } from '@branchline/hub/reports/io/site-calendars.ts';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agentStatus } from '../world/agent-status.ts';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { saleRecord, someEpoch } from '../world/events.ts';
import { rowsRead } from '../world/rows-read.ts';
import { createSliceWriter, openPartitions, topics } from '../world/slices.ts';
import { fillHistory, listedDays } from '../world/years-of-sources.ts';

/** Unused sources are finished: their figures are in sums, and their key finds them for ever. */

let database: BooksDatabase;
beforeAll(async () => {
  database = await createBooksDatabase();
});
beforeEach(() => database.empty());
afterAll(() => database.close());

const all = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
  (await database.pool.query<T>(sql)).rows;

/** On Kafka's clock; what counts is the difference from the database's now. */
const now = Date.now();
const nextEpoch = '4c1e4b6f-1e1d-4a6d-8b4b-3a2f1c8d0e22';
const site = 'store-0001';

/** Each epoch has sales of its own. */
const numbers = new Map<string, number>();
const numberOf = (epoch: string): number => {
  const number = numbers.get(epoch) ?? numbers.size;
  numbers.set(epoch, number);
  return number;
};

/** A hub on the books of the test. */
const openHub = async (from = 0) => {
  const names = createNames(database.pool);
  await openPartitions(database.pool);
  const write = createSliceWriter(createBooks(database.pool, names, 300_000), new Map([['pos', from]]));
  return {
    apply: (seqs: number[], epoch = someEpoch) =>
      write(
        'pos',
        seqs.map((seq) => saleRecord(seq, { epoch, sequence: 100 * numberOf(epoch) + seq })),
      ),
    /** The agent lists these epochs with their highest seqs. */
    list: (epochs: Record<string, number>, heardAt = now) =>
      noteStatuses(
        database.pool,
        names,
        [
          {
            status: agentStatus({
              site,
              at: heardAt,
              sources: Object.entries(epochs).map(([epoch, highest]) => ({
                ...{ stream: 'pos' as const, epoch, highest, recordedTo: highest, appliedTo: 0 },
              })),
            }),
            heardAt,
          },
        ],
        () => topics.pos,
      ),
  };
};

/** As if nothing had happened for two hours. */
const letTimePass = () =>
  database.pool.query(
    "update source set opened_at = opened_at - interval '2 hours', heard_at = heard_at - interval '2 hours' where finished_at is null",
  );
const finishedEpochs = async () =>
  (await all<{ epoch: string }>('select epoch from source where finished_at is not null order by 1')).map(
    ({ epoch }) => epoch,
  );

/** What the figures must be: computed from every source, without the sums. */
const recounted = `
  select site_id, stream, sum(greatest(reported_highest, coalesce(upper(seen) - 1, 0)))::text as accepted,
    sum(applied)::text as applied, sum(redelivered)::text as redelivered, sum(repeated)::text as repeated,
    sum(conflicting)::text as conflicting, sum(quarantined)::text as quarantined, sum(deadlettered)::text as deadlettered,
    sum(case when gap_dismissed_at is null then greatest(reported_highest, coalesce(upper(seen) - 1, 0))
      - (select coalesce(sum(upper(r) - lower(r)), 0) from unnest(seen) r) else 0 end)::text as missing
  from source group by 1, 2 order by 1, 2`;
const figures = `
  select site_id, stream, sum(accepted)::text as accepted, sum(applied)::text as applied, sum(redelivered)::text as redelivered,
    sum(repeated)::text as repeated, sum(conflicting)::text as conflicting, sum(quarantined)::text as quarantined,
    sum(deadlettered)::text as deadlettered, sum(missing)::text as missing
  from source_figures group by 1, 2 order by 1, 2`;
const expectExactFigures = async () => expect(await all(figures)).toEqual(await all(recounted));

describe('finished sources', () => {
  test('H1 events of a finished source that come again are redelivered, new ones are applied, and every figure stays exact', async () => {
    const hub = await openHub();
    await hub.apply([1, 2, 3]);
    await letTimePass();
    expect(await finishSources(database.pool)).toBe(1);
    expect(await finishedEpochs()).toEqual([someEpoch]);
    await expectExactFigures();

    // This hub has the source's id in its cache; another one looks it up by its key.
    expect(await hub.apply([2, 3])).toMatchObject({ applied: 0, redelivered: 2 });
    expect(await finishedEpochs()).toEqual([]);
    await expectExactFigures();
    await letTimePass();
    await finishSources(database.pool);
    const [position] = await all<{ next: number }>(
      `select next_offset::int as next from ingest_offset where topic = '${topics.pos}'`,
    );
    const other = await openHub(position?.next);
    expect(await other.apply([1, 2, 3, 4])).toMatchObject({ applied: 1, redelivered: 3 });
    expect(await all('select seen::text, applied::int, redelivered::int from source')).toEqual([
      { seen: '{[1,5)}', applied: 4, redelivered: 5 },
    ]);
    await letTimePass();
    await finishSources(database.pool);
    await expectExactFigures();
    expect(
      await all('select sources::int, events::int, applied::int, redelivered::int from finished_sum'),
    ).toEqual([{ sources: 1, events: 4, applied: 4, redelivered: 5 }]);
  });

  test('a source with a gap, one that an agent lists and one that was mentioned recently are not finished', async () => {
    const hub = await openHub();
    await hub.apply([1, 3]);
    await hub.apply([1, 2], nextEpoch);
    await hub.list({ [nextEpoch]: 2 });
    await letTimePass();
    expect(await finishSources(database.pool)).toBe(0);
    // The agent keeps nothing of the second epoch any more and has just said so; an hour later it is finished.
    await hub.list({});
    await hub.list({ [nextEpoch]: 2 });
    await hub.list({}, now + 1_000);
    expect(await finishSources(database.pool)).toBe(0);
    await letTimePass();
    expect(await finishSources(database.pool)).toBe(1);
    expect(await finishedEpochs()).toEqual([nextEpoch]);
    await hub.apply([2]);
    await letTimePass();
    expect(await finishSources(database.pool)).toBe(1);
    await expectExactFigures();
  });

  test('an agent that lists a finished source again, with more events than before, is told what is missing', async () => {
    const hub = await openHub();
    await hub.apply([1, 2]);
    await letTimePass();
    await finishSources(database.pool);
    const ids = await hub.list({ [someEpoch]: 5 });
    expect(await finishedEpochs()).toEqual([]);
    const [mark] = await readMarks(database.pool, ids);
    expect(mark?.control).toMatchObject({ epoch: someEpoch, appliedTo: 2, missing: [[3, 5]] });
    const [found] = (await readFleet(database.pool, followCalendars(database.pool, 'UTC'))).sites;
    expect(found).toMatchObject({ name: site, gaps: 3 });
    expect(await readGaps(database.pool, found?.siteId as number)).toMatchObject([
      { epoch: someEpoch, missing: 3 },
    ]);
    await expectExactFigures();
  });

  test('a gap that a person has dismissed stays listed, and is never finished', async () => {
    const hub = await openHub();
    await hub.apply([1, 3]);
    const [row] = await all<{ site_id: number }>('select site_id from source');
    const of = { agent: 'edge-1', stream: 'pos', epoch: someEpoch };
    expect(await dismissGap(database.pool, row?.site_id as number, of)).toBe('dismissed');
    await letTimePass();
    expect(await finishSources(database.pool)).toBe(0);
    expect(await readGaps(database.pool, row?.site_id as number)).toMatchObject([
      { epoch: someEpoch, missing: 1 },
    ]);
    await expectExactFigures();
  });

  test('H1 slices, two hubs that finish, and statuses at the same time leave every figure exact', async () => {
    const hub = await openHub();
    const epochs = Array.from({ length: 24 }, () => randomUUID());
    await hub.apply([1, 2], epochs[0]);
    const finishing = { done: false };
    const finish = async () => {
      while (!finishing.done) {
        await letTimePass();
        await finishSources(database.pool, 3);
      }
    };
    const finishers = [finish(), finish()];
    for (const seqs of [
      [1, 2],
      [2, 3],
      [1, 4],
      [3, 4, 5],
    ])
      for (const [i, epoch] of epochs.entries()) {
        for (let attempt = 0; ; attempt++)
          try {
            await hub.apply(seqs, epoch);
            break;
          } catch (error) {
            // A deadlock or stale id is tried again, as the reader of a partition does.
            if (attempt === 5) throw error;
          }
        if (i % 5 === 0) await hub.list({ [epoch]: 5 });
      }
    finishing.done = true;
    await Promise.all(finishers);
    await expectExactFigures();
    await letTimePass();
    await hub.list({});
    await letTimePass();
    await finishSources(database.pool);
    expect(await all('select distinct seen::text, applied::int, repeated::int from source')).toEqual([
      { seen: '{[1,6)}', applied: 5, repeated: 0 },
    ]);
    expect(await finishedEpochs()).toHaveLength(epochs.length);
    await expectExactFigures();
    expect(await all('select sources::int, events::int from finished_sum')).toEqual([
      { sources: epochs.length, events: 5 * epochs.length },
    ]);
  });
});

describe('the cost of a question', () => {
  /** Rows of `source` and its sums that PostgreSQL reads for it. */
  const rowsReadBy = async (question: (pool: pg.Pool) => Promise<unknown>): Promise<number> => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    try {
      return await rowsRead(pool, ['source', 'finished_sum', 'agent'], () => question(pool));
    } finally {
      await pool.end();
    }
  };

  const questions = {
    fleet: (pool: pg.Pool) => readFleet(pool, followCalendars(pool, 'UTC')),
    'the gaps of a site': (pool: pg.Pool) => readGaps(pool, 3),
    'figures of the books': readBooks,
  };

  test.each(Object.entries(questions))(
    '%s is the same after 10 and after 1,000 starts of each agent',
    async (_, question) => {
      const readAfter = async (days: number): Promise<number> => {
        await database.empty();
        await fillHistory(database.pool, { sites: 5, days, lastDay: new Date(Date.now() - 7_200_000) });
        while ((await finishSources(database.pool)) > 0);
        await expectExactFigures();
        await database.pool.query('vacuum analyze source, finished_sum, agent');
        return rowsReadBy(question);
      };
      const unfinished = 5 * 2 * listedDays;
      const [few, many] = [await readAfter(10), await readAfter(1_000)];
      expect(few).toBeGreaterThan(0);
      expect(many).toBeLessThan(4 * unfinished);
    },
  );
});
