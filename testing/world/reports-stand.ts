import { randomUUID } from 'node:crypto';
import type { LogRecord } from '@branchline/drivers/kafka/record.ts';
import { grantReportsRole } from '@branchline/hub/io/migrate.ts';
import { openReportsPool } from '@branchline/hub/io/postgres-pool.ts';
import { noteStatuses } from '@branchline/hub/ledger/agents/statuses.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { startReports } from '@branchline/hub/reports/run.ts';
import { createLog } from '@branchline/kernel/log.ts';
import type { BooksDatabase } from './books-database.ts';
import { recordOf, streamOfEvent, type TestEvent } from './events.ts';

/**
 * The reports role, with its own database role, on books filled by the ledger's transaction. `sell` stands in for Kafka and
 * says when an event was recorded; `hear` stands in for the agents.
 */
export type ReportsStand = Awaited<ReturnType<typeof startReportsStand>>;

export const intervalMs = 300_000;
const topics = { pos: 'test.pos.v1', stock: 'test.stock.v1' };

export const startReportsStand = async (
  database: BooksDatabase,
  options: { now: number; timeZone?: string; demoNetwork?: string; insecureListen?: boolean },
) => {
  const password = randomUUID();
  await grantReportsRole(database.url, password);
  const url = new URL(database.url);
  url.username = 'branchline_reports';
  url.password = password;
  const log = createLog('reports', 'error');
  const pool = openReportsPool(url.href, 'test-reports', log);
  const clock = { wall: options.now };
  const reports = await startReports({
    pool,
    reportsHost: '127.0.0.1',
    reportsPort: 0,
    insecureListen: options.insecureListen ?? false,
    timeZone: options.timeZone ?? 'UTC',
    intervalMinutes: intervalMs / 60_000,
    agentStatusSeconds: 10,
    demoNetwork: options.demoNetwork,
    dashboard: new URL('../../hub/dashboard/', import.meta.url),
    log,
    clock: { now: () => clock.wall, monotonic: () => performance.now() },
    freshMs: 0,
  });

  const names = createNames(database.pool);
  const books = createBooks(database.pool, names, intervalMs);
  const next = new Map<string, number>();
  const seqs = new Map<string, number>();
  const epochs = new Map<string, string>();
  const epochOf = (site: string, stream: string): string => {
    const key = `${site}/${stream}`;
    const epoch = epochs.get(key) ?? randomUUID();
    epochs.set(key, epoch);
    return epoch;
  };
  for (const topic of Object.values(topics))
    await database.pool.query(
      "insert into ingest_offset (topic, partition, next_offset, cluster_id) values ($1, 0, 0, 'test') on conflict do nothing",
      [topic],
    );

  /** Applies events as the next seqs of their sites, recorded `delayMs` after the event's own time. */
  const sell = async (events: readonly TestEvent[], delayMs = 1_000): Promise<void> => {
    for (const [stream, own] of Map.groupBy(events, streamOfEvent)) {
      const records = own.map((event): LogRecord => {
        const site = event.data.site.storeId;
        const seq = (seqs.get(`${site}/${stream}`) ?? 0) + 1;
        seqs.set(`${site}/${stream}`, seq);
        const origin = { site, stream, epoch: epochOf(site, stream), seq };
        return recordOf(event, origin, { timestamp: Date.parse(event.time) + delayMs });
      });
      await apply(stream, records);
    }
  };
  const apply = async (stream: 'pos' | 'stock', records: LogRecord[]): Promise<void> => {
    const from = next.get(topics[stream]) ?? 0;
    const outcome = await books.apply({
      topic: topics[stream],
      partition: 0,
      stream,
      from,
      to: from + records.length,
      readTo: 0,
      records: records.map((record, i) => ({ ...record, offset: from + i })),
    });
    if (outcome.fenced) throw new Error('another hub overtook the stand');
    next.set(topics[stream], from + records.length);
  };

  /** A status of a site's agent, recorded by Kafka at `at`; by default everything it accepted is recorded. */
  const hear = async (
    site: string,
    at: number,
    said: {
      highest?: number;
      recordedTo?: number;
      oldestUnrecordedAt?: number;
      clockAheadMs?: number;
      pending?: number;
      version?: string;
      agent?: string;
    } = {},
  ): Promise<void> => {
    const sources = (['pos', 'stock'] as const).map((stream) => {
      const sent = seqs.get(`${site}/${stream}`) ?? 0;
      const highest = stream === 'pos' ? (said.highest ?? sent) : sent;
      return {
        stream,
        epoch: epochOf(site, stream),
        highest,
        recordedTo: stream === 'pos' ? (said.recordedTo ?? highest) : highest,
        appliedTo: 0,
        ...(said.oldestUnrecordedAt === undefined || stream === 'stock'
          ? {}
          : { oldestUnrecordedAt: said.oldestUnrecordedAt }),
      };
    });
    const status = {
      v: 1 as const,
      site,
      agent: said.agent ?? 'edge-1',
      status: 'alive' as const,
      session: '5d2f5c70-2f2e-4b7e-9c5c-4b3a2d9e1f33',
      bootAt: at - 3_600_000,
      at: at + (said.clockAheadMs ?? 0),
      agentVersion: said.version ?? '0.1.0',
      sources,
      pending: said.pending ?? 0,
      databaseBytes: 4_096,
    };
    await noteStatuses(database.pool, names, [{ status, heardAt: at }], (stream) => topics[stream]);
  };

  const ask = (path: string, init: RequestInit = {}) => fetch(`${reports.url}${path}`, init);
  const get = async <T>(path: string): Promise<T> => {
    const response = await ask(`/api/v1${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const change = (method: string, path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
    ask(`/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  return {
    ...reports,
    clock,
    sell,
    hear,
    /** Skips seqs, which then are missing between the sales before and after. */
    skip: (site: string, count: number) => seqs.set(`${site}/pos`, (seqs.get(`${site}/pos`) ?? 0) + count),
    epochOf,
    /** The site continues in a new epoch from seq 1. */
    newDisk: (site: string) => {
      epochs.delete(`${site}/pos`);
      seqs.delete(`${site}/pos`);
    },
    /** The site's agent runs on the disk with this epoch again. */
    oldDisk: (site: string, epoch: string) => epochs.set(`${site}/pos`, epoch),
    ask,
    get,
    change,
    close: async () => {
      await reports.stop();
      await pool.end();
    },
  };
};
