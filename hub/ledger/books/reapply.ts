import { isProblem } from '@branchline/contracts/errors.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import type pg from 'pg';
import { inTransaction } from '../../postgres/in-transaction.ts';
import { type EventReader, journalRow, numbered, readSafely } from './fresh-events.ts';
import { databaseOf } from './identity.ts';
import type { Names } from './names.ts';
import { eventsOf, parseEvents, postEvents } from './posting.ts';
import { keepConflicts } from './quarantine.ts';
import { addToTotals } from './totals.ts';

/** Re-applied events belong to no partition; their sums have rows of their own in `chain_window`. */
const noPartition = -1;

/**
 * Re-applies quarantined events on request (state `asked`), with today's readers (H4). Each row has a transaction of its
 * own: a second hub skips it while it is locked and finds it settled afterwards. The journal's key is the second safeguard.
 */
type AskedRow = {
  quarantine_id: string;
  topic: string;
  off: string;
  raw: Buffer;
  first_seq: string | null;
  last_seq: string | null;
  source_id: number | null;
  site_id: number | null;
  site: string | null;
  agent: string | null;
  stream: Stream | null;
  epoch: string | null;
  given_back_at: Date | null;
  now: Date;
};

type Verdict = { state: 'applied' | 'held'; detail: string; givenBack?: boolean };

export type Reapply = {
  pool: pg.Pool;
  names: Names;
  intervalMs: number;
  read: EventReader;
  deadLetterTopic: string;
};

/** Settles one row. Resolves with its source, which may need a mark, or undefined when there is no request. */
export const reapplyOne = (ports: Reapply): Promise<{ sourceId: number | null } | undefined> =>
  inTransaction(ports.pool, async (client) => {
    const row = await takeAsked(client);
    if (row === undefined) return undefined;
    await settle(client, row, await judged(client, ports, row));
    return { sourceId: row.source_id };
  });

const takeAsked = async (client: pg.ClientBase): Promise<AskedRow | undefined> => {
  const { rows } = await client.query<AskedRow>(`
    select q.quarantine_id, q.topic, q.off, q.raw, q.first_seq, q.last_seq, q.source_id, s.site_id, site.name as site,
      s.agent, s.stream, s.epoch, q.given_back_at, now() as now
    from quarantine q left join source s using (source_id) left join site using (site_id)
    where q.state = 'asked' order by q.quarantine_id limit 1 for update of q skip locked`);
  const [row] = rows;
  // Like a slice: the source is locked before the totals.
  if (row?.source_id != null)
    await client.query('select from source where source_id = $1 for update', [row.source_id]);
  return row;
};

const uniqueViolation = '23505';

/** A row that PostgreSQL refuses must not fail again every second and block the others. */
const judged = async (client: pg.ClientBase, ports: Reapply, row: AskedRow): Promise<Verdict> => {
  await client.query('savepoint judging');
  try {
    return await judge(client, ports, row);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    // Classes 22 and 23: the data do not fit. Other errors are transient, and so is a key that a slice of another hub has
    // just written.
    if (code === undefined || !/^2[23]/.test(code) || code === uniqueViolation) throw error;
    await client.query('rollback to savepoint judging');
    return { state: 'held', detail: `PostgreSQL refuses it: ${message}` };
  }
};

const judge = async (client: pg.ClientBase, ports: Reapply, row: AskedRow): Promise<Verdict> => {
  const { source_id: sourceId, site_id: siteId, site, agent, stream, epoch } = row;
  if (
    sourceId === null ||
    siteId === null ||
    site === null ||
    agent === null ||
    stream === null ||
    epoch === null
  )
    return {
      state: 'held',
      detail: 'These bytes name no agent, so there is no sequence in which to apply them.',
    };
  const [first, last] = [Number(row.first_seq), Number(row.last_seq)];
  const isDeadLetter = row.topic === ports.deadLetterTopic;
  if (isDeadLetter) {
    // Only once: seqs that arrived since then are in the books.
    if (row.given_back_at === null) await giveBack(client, row.quarantine_id, sourceId);
    return awaited(first, last);
  }

  // Late for its window, whenever Kafka first recorded it: the books get it only now.
  const recordedAt = row.now.getTime();
  const record = {
    offset: Number(row.off),
    timestamp: recordedAt,
    size: row.raw.length,
    value: row.raw,
    headers: {},
  };
  const entry = readSafely(ports.read, record, { site, agent, stream, epoch });
  if (isProblem(entry)) {
    const where = entry.where === undefined ? '' : `${entry.where}: `;
    return { state: 'held', detail: `still ${entry.code}: ${where}${entry.detail}` };
  }
  const journaled = journalRow(entry, { sourceId, siteId, seq: first }, record);
  const batch = await numbered(ports.names, await databaseOf(client), { rows: [journaled], refused: [] });
  const parsed = await parseEvents(client, eventsOf(batch), { intervalMs: ports.intervalMs });
  const { deltas, repeated, conflicting } = await postEvents(client, parsed);
  await addToTotals(client, deltas, { intervalMs: ports.intervalMs, partition: noPartition });
  await keepConflicts(client, conflicting);
  const column = repeated.length > 0 ? 'repeated' : conflicting.length > 0 ? 'conflicting' : 'applied';
  await client.query(
    `update source set ${column} = ${column} + 1, quarantined = greatest(0, quarantined - 1) where source_id = $1`,
    [sourceId],
  );
  return { state: 'applied', detail: outcomes[column] };
};

const outcomes = {
  applied: 're-applied: it is in the books now',
  repeated: 're-applied: an equal event was in the books already',
  conflicting:
    're-applied: another event with this id was in the books before; it stays, this one is a conflict',
};

/**
 * A dead letter is a frame as the agent sent it, which the hub can neither decompress nor split. The seqs that it took are
 * released: the next mark lists them as missing, the agent sends them again, and they are applied like any other event. Seqs
 * of its range that events had taken before stay taken: they are in the books (H1).
 */
const giveBack = async (client: pg.ClientBase, quarantineId: string, sourceId: number): Promise<void> => {
  await client.query(
    `update source s set seen = s.seen - q.taken,
       deadlettered = greatest(0, s.deadlettered - (
         select coalesce(sum(upper(r) - lower(r)), 0) from unnest(s.seen * q.taken) r))
     from quarantine q where s.source_id = $1 and q.quarantine_id = $2`,
    [sourceId, quarantineId],
  );
};

const awaited = (first: number, last: number): Verdict => ({
  state: 'held',
  givenBack: true,
  detail: `a frame cannot be applied from here; the agent is asked to send seqs ${first} to ${last} again. Dismiss this row if it no longer has them`,
});

const settle = async (client: pg.ClientBase, row: AskedRow, { state, detail, givenBack }: Verdict) => {
  await client.query(
    `update quarantine set state = $2, detail = $3, settled_at = case when $2 = 'applied' then now() end,
       given_back_at = case when $4 then coalesce(given_back_at, now()) else given_back_at end
     where quarantine_id = $1`,
    [row.quarantine_id, state, detail.replaceAll('\0', '␀').toWellFormed(), givenBack === true],
  );
};

/**
 * Settles rows whose seqs were released: applied when all of them have arrived; when a person dismissed the row because
 * they never will, the seqs are taken again.
 */
export const settleGivenBack = async (pool: pg.Pool): Promise<void> => {
  await pool.query(`
    update quarantine q set state = 'applied', settled_at = now(), detail = 'the agent has sent these seqs again'
    from source s
    where q.given_back_at is not null and q.state = 'held' and s.source_id = q.source_id
      and s.seen @> int8multirange(int8range(q.first_seq, q.last_seq, '[]'))`);
  // What arrived meanwhile is in the books. It no longer belongs to the row, or re-applying the row once more would release it.
  await pool.query(`
    with dismissed as (
      select quarantine_id, source_id, taken from quarantine
      where given_back_at is not null and state = 'dismissed' order by quarantine_id for update skip locked),
    locked as (
      select source_id, seen from source where source_id in (select source_id from dismissed) order by source_id for update),
    absent as (
      select quarantine_id, source_id, taken - seen as seqs from dismissed join locked using (source_id)),
    wanted as (
      select source_id, range_agg(seqs) as seqs from absent group by source_id),
    taken as (
      update source s set seen = s.seen + w.seqs,
        deadlettered = s.deadlettered + (select coalesce(sum(upper(r) - lower(r)), 0) from unnest(w.seqs) r)
      from wanted w where s.source_id = w.source_id)
    update quarantine q set given_back_at = null, taken = a.seqs from absent a where q.quarantine_id = a.quarantine_id`);
};
