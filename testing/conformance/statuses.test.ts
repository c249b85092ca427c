import { randomUUID } from 'node:crypto';
import type { Status } from '@branchline/contracts/downlink.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { headers } from '@branchline/contracts/topics.ts';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { queueOf } from '@branchline/drivers/kafka/record-queue.ts';
import { readMarks } from '@branchline/hub/ledger/agents/marks.ts';
import { createStatusReader } from '@branchline/hub/ledger/agents/read-statuses.ts';
import { reportRefusals } from '@branchline/hub/ledger/agents/refusals.ts';
import { noteReplays, settleReplays, takeDueReplays } from '@branchline/hub/ledger/agents/replays.ts';
import { noteStatuses } from '@branchline/hub/ledger/agents/statuses.ts';
import { createNames, type Names } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { createRecordedTimes } from '@branchline/hub/ledger/intake/recorded-times.ts';
import { siteCompleteTo } from '@branchline/hub/reports/core/completeness.ts';
import { readFleet } from '@branchline/hub/reports/io/fleet-query.ts';
import { followCalendars } from '@branchline/hub/reports/io/site-calendars.ts';
import { systemClock } from '@branchline/kernel/clock.ts';
import { createLog } from '@branchline/kernel/log.ts';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentStatus } from '../world/agent-status.ts';
import { type BooksDatabase, createBooksDatabase } from '../world/books-database.ts';
import { recordOf, saleRecord, someEpoch } from '../world/events.ts';
import { rowsRead } from '../world/rows-read.ts';
import { createSliceWriter, openPartitions, topics } from '../world/slices.ts';
import { fillHistory } from '../world/years-of-sources.ts';

/** Agents' statuses on a real PostgreSQL: how complete the books are, and how far replays have come. */

let database: BooksDatabase;
let names: Names;
let write: ReturnType<typeof createSliceWriter>;

beforeEach(async () => {
  database = await createBooksDatabase();
  names = createNames(database.pool);
  await openPartitions(database.pool);
  write = createSliceWriter(createBooks(database.pool, names, 300_000));
});
afterEach(() => database.close());

const recordedTimes = createRecordedTimes({ clock: systemClock, log: createLog('test', 'silent') });
const epoch = someEpoch;
const nextEpoch = '4c1e4b6f-1e1d-4a6d-8b4b-3a2f1c8d0e22';
const site = 'store-0001';
/** The hour of the tests, in Kafka's time. */
const noon = Date.UTC(2026, 10, 23, 12);
const topicOf = () => topics.pos;

const sourceOf = (highest: number, of = epoch, change: Partial<Status['sources'][number]> = {}) => ({
  stream: 'pos' as const,
  epoch: of,
  highest,
  recordedTo: highest,
  appliedTo: 0,
  ...change,
});
const status = (sources: Status['sources'], at: number, change: Partial<Status> = {}): Status =>
  agentStatus({ site, sources, at, bootAt: noon - 3_600_000, ...change });
/** A status that Kafka recorded at `heardAt`. */
const hear = (sources: Status['sources'], heardAt: number, change: Partial<Status> = {}) =>
  noteStatuses(database.pool, names, [{ status: status(sources, heardAt, change), heardAt }], topicOf);

const apply = (seqs: number[], of = epoch) =>
  write(
    'pos',
    seqs.map((seq) => saleRecord(seq, { at: noon, epoch: of, sequence: seq + (of === epoch ? 0 : 1_000) })),
  );

const all = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
  (await database.pool.query<T>(sql)).rows;
/** `complete_to` and `heard_at` of a source, in seconds after noon. */
const times = async (of = epoch) => {
  const [row] = (
    await database.pool.query<{ complete: Date | null; heard: Date; highest: string }>(
      'select complete_to as complete, heard_at as heard, reported_highest as highest from source where epoch = $1',
      [of],
    )
  ).rows;
  const seconds = (date: Date | null | undefined) => (date == null ? null : (date.getTime() - noon) / 1_000);
  return { complete: seconds(row?.complete), heard: seconds(row?.heard), highest: Number(row?.highest) };
};
const second = (n: number) => noon + n * 1_000;
/** Time up to which reports take the site's sales to be complete, in seconds after noon; null when unknown. */
const salesCompleteTo = async () => {
  const [found] = (await readFleet(database.pool, followCalendars(database.pool, 'UTC'))).sites;
  const completeTo = siteCompleteTo(found?.agents ?? [], 'pos');
  return completeTo === null ? null : (completeTo - noon) / 1_000;
};
/** A status written and recorded at these seconds after noon, by a clock that is `aheadMs` ahead. */
const hearLate = (
  sources: Status['sources'],
  writtenAt: number,
  recordedAt: number,
  aheadMs = 0,
  change: Partial<Status> = {},
) =>
  noteStatuses(
    database.pool,
    names,
    [{ status: status(sources, second(writtenAt) + aheadMs, change), heardAt: second(recordedAt) }],
    topicOf,
  );
/** The record of a status. */
const statusRecord = (status: object, offset: number, heardAt: number): LogRecord => {
  const value = Buffer.from(JSON.stringify(status));
  return {
    offset,
    timestamp: heardAt,
    size: value.length,
    value,
    headers: { [headers.from]: Buffer.from(`${site}/edge-1`) },
  };
};

describe('statuses', () => {
  test('say up to when the books are complete, which only rises', async () => {
    await hear([sourceOf(3)], second(10));
    expect(await times()).toEqual({ complete: null, heard: 10, highest: 3 });
    await apply([1, 2, 3]);
    // Now the status of second 10 is covered, the new one not yet.
    await hear([sourceOf(5)], second(20));
    expect(await times()).toEqual({ complete: 10, heard: 20, highest: 5 });
    await hear([sourceOf(6)], second(30));
    expect(await times()).toEqual({ complete: 10, heard: 30, highest: 6 });
    await apply([4, 5, 6]);
    await hear([sourceOf(6)], second(40));
    expect(await times()).toEqual({ complete: 40, heard: 40, highest: 6 });
  });

  test('of a branch that is never idle show books that are always behind as complete up to a while ago', async () => {
    // Ten events between two statuses, and the books are 25 events behind.
    let applied = 0;
    for (let n = 1; n <= 12; n++) {
      const to = Math.max(0, n * 10 - 25);
      if (to > applied) await apply(Array.from({ length: to - applied }, (_, i) => applied + i + 1));
      applied = to;
      await hear([sourceOf(n * 10)], second(n));
    }
    const { complete } = await times();
    expect(complete).toBeGreaterThanOrEqual(4);
    // At most what was reported when as much had been accepted as the books hold now.
    expect(complete).toBeLessThanOrEqual(applied / 10);
  });

  test('that come out of order never overwrite a later one, and still show what is complete', async () => {
    await apply([1, 2, 3]);
    await hear([sourceOf(9)], second(30), { pending: 6 });
    await hear([sourceOf(3)], second(20), { pending: 3, agentVersion: '0.0.9' });
    expect(await times()).toEqual({ complete: 20, heard: 30, highest: 9 });
    expect(await all('select pending, version from agent')).toEqual([{ pending: '6', version: '0.1.0' }]);
    // In one batch too.
    await noteStatuses(
      database.pool,
      names,
      [
        { status: status([sourceOf(10)], second(50), { pending: 1 }), heardAt: second(50) },
        { status: status([sourceOf(8)], second(40), { pending: 8 }), heardAt: second(40) },
      ],
      topicOf,
    );
    expect(await times()).toEqual({ complete: 20, heard: 50, highest: 10 });
    expect(await all('select pending from agent')).toEqual([{ pending: '1' }]);
  });

  test('with a lower highest seq than before do not hide that the books lack the higher one', async () => {
    await apply([1, 2, 3]);
    await hear([sourceOf(9)], second(10));
    await hear([sourceOf(3)], second(20));
    expect(await times()).toEqual({ complete: null, heard: 20, highest: 9 });
  });

  test('that precede their events make the books ask for all of them', async () => {
    const ids = await hear([sourceOf(7)], second(10));
    expect(await readMarks(database.pool, ids)).toMatchObject([
      {
        site,
        agent: 'edge-1',
        control: { kind: 'applied-mark', appliedTo: 0, highest: 0, missing: [[1, 7]] },
      },
    ]);
  });

  test('of a source without events do not keep others from their mark', async () => {
    const ids = await hear([sourceOf(0), sourceOf(7, nextEpoch)], second(10));
    expect(await readMarks(database.pool, ids)).toMatchObject([
      { control: { epoch: sourceOf(0).epoch, appliedTo: 0, highest: 0, missing: [] } },
      { control: { epoch: nextEpoch, appliedTo: 0, highest: 0, missing: [[1, 7]] } },
    ]);
  });

  test('of an agent that starts again name the new epoch and the old one, each with its own state', async () => {
    await hear([sourceOf(2)], second(10));
    await apply([1, 2]);
    await hear([sourceOf(2), sourceOf(1, nextEpoch)], second(20));
    expect(await times()).toMatchObject({ complete: 20 });
    expect(await times(nextEpoch)).toMatchObject({ complete: null, highest: 1 });
    await apply([1], nextEpoch);
    await hear([sourceOf(1, nextEpoch)], second(30));
    expect(await times(nextEpoch)).toMatchObject({ complete: 30 });
    const [agent] = await all<{ sources: number[] }>('select sources from agent');
    const [source] = await all<{ source_id: number }>(
      `select source_id from source where epoch = '${nextEpoch}'`,
    );
    expect(agent?.sources).toEqual([source?.source_id]);
  });

  test('that are full of open epochs may leave some out, and prove nothing before the next ones name them', async () => {
    const epochs = Array.from({ length: limits.rangesPerMessageMax }, () => randomUUID());
    const named = epochs.map((one) => sourceOf(1, one));
    await hear([sourceOf(0, epochs[0])], second(5));
    expect(await salesCompleteTo()).toBe(5);
    // Back after months: the agent holds more epochs than a status has room for.
    await hear(named, second(10));
    for (const [i, one] of epochs.entries())
      await write('pos', [saleRecord(1, { at: noon, epoch: one, sequence: i + 1 })]);
    await hear(named, second(20));
    expect(await salesCompleteTo()).toBe(5);
    // There was room for an applied one, so none is left out.
    await hear([{ ...sourceOf(1, epochs[0]), appliedTo: 1 }, ...named.slice(1)], second(30));
    expect(await salesCompleteTo()).toBe(30);
  });

  test('of an agent without sales are kept too: nothing of it is missing', async () => {
    await hear([], second(10), { status: 'birth' });
    expect(await all('select said, sources from agent')).toEqual([{ said: 'birth', sources: [] }]);
    await hear([sourceOf(0)], second(20));
    expect(await times()).toEqual({ complete: 20, heard: 20, highest: 0 });
  });

  test("are dated by Kafka's clock; the agent's own clock shows only as the difference", async () => {
    const dayAhead = second(10) + 86_400_000;
    await noteStatuses(
      database.pool,
      names,
      [
        {
          status: status([sourceOf(1, epoch, { oldestUnrecordedAt: dayAhead })], dayAhead),
          heardAt: second(10),
        },
      ],
      topicOf,
    );
    expect(
      await all(
        'select clock_ahead_ms, extract(epoch from heard_at)::int8 as heard, oldest_unrecorded_at from agent',
      ),
    ).toEqual([
      {
        clock_ahead_ms: '86400000',
        heard: String(second(10) / 1_000),
        oldest_unrecorded_at: new Date(dayAhead),
      },
    ]);
    expect(await times()).toMatchObject({ heard: 10 });
  });

  test('that are recorded long after they were written complete nothing beyond the time of writing', async () => {
    await apply([1, 2, 3]);
    // Kafka was unavailable for ten minutes. The fourth event was accepted in the first second, then the line failed.
    await hearLate([sourceOf(3)], 0, 600);
    expect(await times()).toEqual({ complete: 0, heard: 600, highest: 3 });
    expect(await salesCompleteTo()).toBe(0);
    await hearLate([sourceOf(40, epoch, { recordedTo: 3, oldestUnrecordedAt: second(1) })], 300, 600.1);
    expect(await salesCompleteTo()).toBe(1);
    expect((await times()).complete).toBe(0);
    // The same status once more, half an hour later.
    await hearLate([sourceOf(3)], 0, 2_400);
    expect((await times()).complete).toBe(0);
    expect(await salesCompleteTo()).toBeLessThanOrEqual(1);
  });

  test('of an agent without sales are complete up to the time of writing', async () => {
    await hearLate([], 0, 600);
    expect(await salesCompleteTo()).toBe(0);
    await hearLate([sourceOf(0)], 10, 1_200);
    expect(await times()).toMatchObject({ complete: 10 });
    expect(await salesCompleteTo()).toBe(10);
  });

  test('from a clock that is ahead are dated by the least delayed of them, also after a restart', async () => {
    const ahead = 240_000;
    await apply([1, 2]);
    await hearLate([sourceOf(2)], 0, 0, ahead);
    expect(await salesCompleteTo()).toBe(0);
    const session = '6e306d81-303f-4c8f-8d6d-5c4c3ea0f244';
    await hearLate([sourceOf(2)], 60, 660, ahead, { session, status: 'birth' });
    expect(await salesCompleteTo()).toBe(60);
  });

  test('from a clock that is a day ahead count once they have agreed for ten minutes', async () => {
    const ahead = 86_400_000;
    await apply([1, 2]);
    for (let at = 0; at <= 540; at += 60) await hearLate([sourceOf(2)], at, at, ahead);
    expect(await salesCompleteTo()).toBe(null);
    await hearLate([sourceOf(2)], 600, 600, ahead);
    expect(await salesCompleteTo()).toBe(600);
    // From now on a late one is known to be late, and pending events are dated by Kafka's clock.
    await hearLate([sourceOf(2)], 610, 1_210, ahead);
    expect(await salesCompleteTo()).toBe(610);
    const waiting = { recordedTo: 2, oldestUnrecordedAt: second(1_215) + ahead };
    await hearLate([sourceOf(3, epoch, waiting)], 1_220, 1_220, ahead);
    expect(await salesCompleteTo()).toBe(1_215);
  });

  test('from a new disk do not hide what the books lack from the old one', async () => {
    await hear([sourceOf(5)], second(0));
    await apply([1, 2]);
    await hear([sourceOf(0, nextEpoch)], second(60));
    expect(await salesCompleteTo()).toBe(null);
    await apply([3, 4, 5]);
    expect(await salesCompleteTo()).toBe(60);
  });

  test('from a new disk leave the site as complete as the old one was', async () => {
    await apply([1, 2]);
    await hear([sourceOf(2)], second(10));
    await hear([sourceOf(5)], second(20));
    await hear([sourceOf(0, nextEpoch)], second(60));
    expect(await salesCompleteTo()).toBe(10);
  });

  test('that spell one epoch in two ways name one source', async () => {
    const ids = await hear([sourceOf(2), sourceOf(1, epoch.toUpperCase())], second(10));
    expect(ids).toHaveLength(1);
    expect(await times()).toMatchObject({ highest: 2 });
    expect(await all('select sources from agent')).toEqual([{ sources: [ids[0], ids[0]] }]);
  });

  test('are read on when one of them cannot be noted, and wait while the database is unavailable', async () => {
    await database.pool.query('alter table agent add constraint refuse check (pending <> 777)');
    const counters = { refusedStatuses: 0 };
    const refusals = reportRefusals({ counters, clock: systemClock, log: createLog('test', 'silent') });
    const alive = async () => {};
    const reader = createStatusReader({
      note: async (heard) => {
        await noteStatuses(database.pool, names, heard, topicOf);
      },
      ...{ refusals, times: recordedTimes },
    });
    const records = [
      statusRecord(status([sourceOf(1)], second(10), { pending: 1 }), 4, second(10)),
      statusRecord(status([sourceOf(2)], second(20), { pending: 777 }), 5, second(20)),
      statusRecord({ ...status([], second(30)), site: 'store-0002' }, 6, second(30)),
      statusRecord(status([sourceOf(3, epoch.toUpperCase())], second(30), { pending: 3 }), 7, second(30)),
    ];
    expect(await reader.read({ records: queueOf(records), alive })).toEqual({ next: 8 });
    expect(await all('select pending from agent')).toEqual([{ pending: '1' }]);
    expect(counters).toEqual({ refusedStatuses: 3 });
    await reader.read({
      records: queueOf([statusRecord(status([], second(40)), 8, second(40))]),
      alive,
    });
    expect(await all('select pending from agent')).toEqual([{ pending: '0' }]);

    const unavailable = createStatusReader({
      note: () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' })),
      ...{ refusals, times: recordedTimes },
    });
    await expect(unavailable.read({ records: queueOf(records), alive })).rejects.toThrow('no');
  });

  test('that claim more than any disk holds are refused whole and change nothing', async () => {
    await apply([1, 2]);
    await hear([sourceOf(2)], second(10));
    const refused: string[] = [];
    const claim = (source: Status['sources'][number], heardAt: number) =>
      noteStatuses(
        database.pool,
        names,
        [{ status: status([source], heardAt, { pending: 7 }), heardAt }],
        topicOf,
        ({ site, agent }) => refused.push(`${site}/${agent}`),
      );
    await claim(sourceOf(2 + limits.seqJumpMax + 1), second(20));
    await claim(sourceOf(limits.seqMax, nextEpoch), second(30));
    expect(refused).toEqual([`${site}/edge-1`, `${site}/edge-1`]);
    expect(await all('select reported_highest as highest from source')).toEqual([{ highest: '2' }]);
    expect(await all('select pending from agent')).toEqual([{ pending: '0' }]);
    await claim(sourceOf(2 + limits.seqJumpMax), second(40));
    expect(refused).toHaveLength(2);
    expect(await all('select pending from agent')).toEqual([{ pending: '7' }]);
  });

  test('that the contract does not allow are refused with the agent and the reason', async () => {
    const refused: string[] = [];
    const reader = createStatusReader({
      note: async () => {},
      refusals: {
        refused: (from, why) => refused.push(`${from}: ${why.split(':')[0]}`),
        unreadable: () => {},
        skipped: () => {},
      },
      times: recordedTimes,
    });
    const records = [
      statusRecord(status([sourceOf(Number.MAX_SAFE_INTEGER)], second(10)), 1, second(10)),
      statusRecord(status([], second(10), { bootAt: 8.64e15 }), 2, second(10)),
      statusRecord(status([], second(10)), 3, second(10)),
    ];
    await reader.read({ records: queueOf(records), alive: async () => {} });
    expect(refused).toEqual([`${site}/edge-1: sources.0.highest`, `${site}/edge-1: bootAt`]);
  });

  test('with clocks at the end of time stop nothing', async () => {
    const latest = limits.instantMsMax;
    await hear([sourceOf(1, epoch, { oldestUnrecordedAt: latest })], second(10), {
      bootAt: latest,
      at: latest,
    });
    await hear([sourceOf(1)], second(20), { bootAt: 0, at: 0 });
    expect(await times()).toMatchObject({ heard: 20 });
  });

  test('that name as many sources as allowed do not deadlock with slices of the same sources', async () => {
    const epochs = Array.from({ length: limits.rangesPerMessageMax }, (_, i) =>
      epoch.replace(/^.{8}/, (63 - i).toString(16).padStart(8, '0')),
    );
    const slices = async () => {
      for (let seq = 1; seq <= 6; seq++)
        await write(
          'pos',
          epochs.toReversed().map((of) => recordOf('{}', { site, stream: 'pos', epoch: of, seq })),
        );
    };
    const statuses = Array.from({ length: 12 }, (_, i) =>
      hear(
        (i % 2 === 0 ? epochs : epochs.toReversed()).map((of) => sourceOf(i, of)),
        second(i),
      ),
    );
    await Promise.all([slices(), ...statuses]);
    expect(await all('select count(*)::int as n, min(reported_highest) as least from source')).toEqual([
      { n: 64, least: '11' },
    ]);
    expect(await all('select distinct seen::text from source')).toEqual([{ seen: '{[1,7)}' }]);
  });
});

describe('replays', () => {
  const ask = async (columns: Record<string, unknown>): Promise<string> => {
    const siteId = (await names.siteIds([site])).get(site);
    const row = { site_id: siteId, agent: 'edge-1', stream: 'pos', ...columns };
    const { rows } = await database.pool.query<{ replay_id: string }>(
      `insert into replay_request (${Object.keys(row).join()}) values (${Object.keys(row).map((_, i) => `$${i + 1}`)})
       returning replay_id`,
      Object.values(row),
    );
    return rows[0]?.replay_id as string;
  };
  const say = (id: string, events: number, left: number, heardAt: number, agent = 'edge-1') =>
    noteReplays(database.pool, [
      { status: status([], heardAt, { agent, replays: [{ id, events, left }] }), heardAt },
    ]);
  const stateOf = async () =>
    (
      await all<{ state: string; events: string | null; left: string | null; gained: string | null }>(
        'select state, events, events_left as left, applied_after - applied_before as gained from replay_request',
      )
    )[0];
  const readTo = (at: number) =>
    database.pool.query('update ingest_offset set read_to = to_timestamp($1 / 1000.0)', [at]);

  test('are sent by one of two hubs, again while nobody answers, and are unanswered in the end', async () => {
    const id = await ask({ epoch, first_seq: 3, last_seq: 9 });
    const both = (await Promise.all([takeDueReplays(database.pool), takeDueReplays(database.pool)])).flat();
    expect(both).toEqual([
      {
        site,
        agent: 'edge-1',
        control: { v: 1, kind: 'replay-request', id, stream: 'pos', epoch, seqs: [3, 9] },
      },
    ]);
    expect(await takeDueReplays(database.pool)).toEqual([]);
    await database.pool.query("update replay_request set sent_at = now() - interval '16 seconds'");
    expect(await takeDueReplays(database.pool)).toHaveLength(1);
    await settleReplays(database.pool, topicOf);
    expect(await stateOf()).toMatchObject({ state: 'sent' });
    await database.pool.query("update replay_request set first_sent_at = now() - interval '11 minutes'");
    await settleReplays(database.pool, topicOf);
    expect(await stateOf()).toMatchObject({ state: 'unanswered' });
    // An agent that answers late is still believed.
    await say(id, 7, 7, Date.now());
    expect(await stateOf()).toMatchObject({ state: 'running', events: '7' });
  });

  test('are done when the books have read what the agent recorded, and say how much was new', async () => {
    await apply([1, 2, 5]);
    const id = await ask({ epoch, first_seq: 1, last_seq: 5 });
    await takeDueReplays(database.pool);
    await say(id, 5, 5, second(10));
    await say(id, 5, 0, second(20));
    await say(id, 5, 0, second(30));
    await readTo(second(15));
    await settleReplays(database.pool, topicOf);
    expect(await stateOf()).toMatchObject({ state: 'running', left: '0' });
    // Sales of the same moment do not count as found by the replay.
    await apply([1, 2, 3, 4, 5, 6, 7, 8]);
    await readTo(second(20));
    await settleReplays(database.pool, topicOf);
    expect(await stateOf()).toEqual({ state: 'done', events: '5', left: '0', gained: '2' });
    expect(await takeDueReplays(database.pool)).toEqual([]);
    await say(id, 5, 3, second(40));
    expect(await stateOf()).toMatchObject({ state: 'done' });
  });

  test('wait at the cost of the sources that are not finished, however many others there are', async () => {
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    try {
      await openPartitions(pool, 2);
      await fillHistory(pool, { sites: 1, days: 500, lastDay: new Date(), finishedDays: 497 });
      await pool.query('analyze');
      const requests = `insert into replay_request (site_id, agent, stream, epoch, first_seq, last_seq, state, counted, heard_at, events,
          events_left)
        select site_id, agent, stream, epoch, 1, 9, 'running', '[]', now(), 9, 0 from source where source_id in (1, 999)`;
      await pool.query(requests);
      const read = await rowsRead(pool, ['source'], () => settleReplays(pool, topicOf));
      // For each the three days of both streams that are not finished, and its own epoch.
      expect(read).toBeGreaterThanOrEqual(2);
      expect(read).toBeLessThan(20);
      expect(await all('select state from replay_request')).toEqual([
        { state: 'running' },
        { state: 'running' },
      ]);
      await readTo(Date.now() + 60_000);
      await settleReplays(pool, topicOf);
      expect(await all('select state from replay_request')).toEqual([{ state: 'done' }, { state: 'done' }]);
    } finally {
      await pool.end();
    }
  });

  test('by time carry the time, and find nothing new where nothing was missing', async () => {
    await hear([sourceOf(3)], second(1));
    await apply([1, 2, 3]);
    const id = await ask({ accepted_from: new Date(second(0)), accepted_to: new Date(second(60)) });
    expect(await takeDueReplays(database.pool)).toMatchObject([
      { control: { stream: 'pos', recorded: [second(0), second(60)] } },
    ]);
    await apply([1, 2, 3, 4]);
    await say(id, 3, 0, second(20));
    await readTo(second(20));
    await settleReplays(database.pool, topicOf);
    expect(await stateOf()).toEqual({ state: 'done', events: '3', left: '0', gained: '0' });
  });

  test('believe only the agent that was asked, and ignore older statuses', async () => {
    const id = await ask({ epoch, first_seq: 1, last_seq: 5 });
    await takeDueReplays(database.pool);
    await say(id, 5, 0, second(10), 'edge-2');
    await say('no uuid at all', 5, 0, second(10));
    expect(await stateOf()).toMatchObject({ state: 'sent' });
    await say(id, 5, 2, second(10));
    await say(id, 5, 4, second(5));
    expect(await stateOf()).toMatchObject({ left: '2' });
  });

  test('that an agent has forgotten, because it started again, are sent again', async () => {
    const id = await ask({ epoch, first_seq: 1, last_seq: 5 });
    await takeDueReplays(database.pool);
    await say(id, 5, 2, Date.now() - 31_000);
    await database.pool.query("update replay_request set sent_at = now() - interval '40 seconds'");
    expect(await takeDueReplays(database.pool)).toHaveLength(1);
    expect(await stateOf()).toMatchObject({ state: 'running' });
  });

  test('with their ends the wrong way round stop no other replay', async () => {
    await ask({ epoch, first_seq: 9, last_seq: 3 });
    await ask({ epoch, first_seq: 1, last_seq: 2 });
    expect(await takeDueReplays(database.pool)).toHaveLength(2);
  });
});

test('an agent that a Kafka clock dated in the future is heard from again with its next status', async () => {
  await hear([sourceOf(5)], noon, { pending: 5 });
  await database.pool.query(
    "update agent set heard_at = now() + interval '1 day'; update source set heard_at = now() + interval '1 day', reported_at = heard_at",
  );
  // PostgreSQL's clock is that of the tests' machine. A status is always recorded before the hub reads it.
  const heardAt = Date.now() - 2_000;
  const found = async () =>
    (
      await database.pool.query(
        `select a.pending::int, s.reported_highest::int as highest, s.reported_recorded_to::int as recorded_to,
           a.heard_at, s.heard_at as source_heard_at
         from agent a join source s using (site_id)`,
      )
    ).rows;
  const at = new Date(heardAt);
  await hear([sourceOf(9)], heardAt, { pending: 0 });
  expect(await found()).toEqual([
    { pending: 0, highest: 9, recorded_to: 9, heard_at: at, source_heard_at: at },
  ]);
  await hear([sourceOf(12, epoch, { recordedTo: 11 })], heardAt + 500, { pending: 1 });
  expect(await found()).toMatchObject([{ pending: 1, highest: 12, recorded_to: 11 }]);
});
