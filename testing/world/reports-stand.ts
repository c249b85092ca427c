import { randomUUID } from 'node:crypto';
import type { Status } from '@branchline/contracts/downlink.ts';
import type { Stream } from '@branchline/contracts/ids.ts';
import { grantReportsRole } from '@branchline/hub/io/migrate.ts';
import { openReportsPool } from '@branchline/hub/io/postgres-pool.ts';
import { noteStatuses } from '@branchline/hub/ledger/agents/statuses.ts';
import { createNames } from '@branchline/hub/ledger/books/names.ts';
import { createBooks } from '@branchline/hub/ledger/books/transaction.ts';
import { startReports } from '@branchline/hub/reports/run.ts';
import { createLog } from '@branchline/kernel/log.ts';
import type pg from 'pg';
import { agentStatus } from './agent-status.ts';
import type { BooksDatabase } from './books-database.ts';
import { recordOf, streamOfEvent, type TestEvent } from './events.ts';
import { createNumbering, createSliceWriter, openPartitions, topics } from './slices.ts';

/**
 * The reports role, with its own database role, on books filled by the ledger's transaction. `sell` stands in for Kafka and
 * says when an event was recorded; `hear` stands in for the agents.
 */
export type ReportsStand = Awaited<ReturnType<typeof startReportsStand>>;

export const intervalMs = 300_000;

/** What an agent's status says; fields that are left out say that everything accepted is recorded. */
type Said = {
  highest?: number;
  recordedTo?: number;
  oldestUnrecordedAt?: number;
  clockAheadMs?: number;
  pending?: number;
  version?: string;
  agent?: string;
  status?: Status['status'];
  /** How long the agent's session has run; a year by default, so that nothing earlier is unknown. */
  uptimeMs?: number;
};

const yearMs = 365 * 86_400_000;

/** The database of each disk, by its epoch of sales. */
const createDisks = () => {
  const disks = new Map<string, { database: string; session: string }>();
  return (epoch: string, agent: string) => {
    const known = disks.get(`${epoch} ${agent}`) ?? { database: randomUUID(), session: randomUUID() };
    disks.set(`${epoch} ${agent}`, known);
    return known;
  };
};

/** The branches as the ledger sees them: their events as slices, and their agents' statuses. */
const openBranches = async (pool: pg.Pool) => {
  const names = createNames(pool);
  const apply = createSliceWriter(createBooks(pool, names, intervalMs));
  const numbering = createNumbering();
  const diskOf = createDisks();
  await openPartitions(pool);

  /** Applies events as the next seqs of their sites, recorded `delayMs` after the event's own time. */
  const sell = async (events: readonly TestEvent[], delayMs = 1_000): Promise<void> => {
    for (const [stream, own] of Map.groupBy(events, streamOfEvent)) {
      const records = own.map((event) =>
        recordOf(event, numbering.next(event), { timestamp: Date.parse(event.time) + delayMs }),
      );
      const outcome = await apply(stream, records);
      if (outcome.fenced) throw new Error('another hub overtook the stand');
    }
  };

  /** A status of a site's agent, recorded by Kafka at `at`; by default everything it accepted is recorded. */
  const hear = async (site: string, at: number, said: Said = {}): Promise<void> => {
    const sources = (['pos', 'stock'] as const).map((stream) => {
      const { epoch, seq: sent } = numbering.sourceOf(site, stream);
      const highest = stream === 'pos' ? (said.highest ?? sent) : sent;
      return {
        stream,
        epoch,
        highest,
        recordedTo: stream === 'pos' ? (said.recordedTo ?? highest) : highest,
        appliedTo: 0,
        ...(said.oldestUnrecordedAt === undefined || stream === 'stock'
          ? {}
          : { oldestUnrecordedAt: said.oldestUnrecordedAt }),
      };
    });
    const status = agentStatus({
      site,
      agent: said.agent ?? 'edge-1',
      status: said.status ?? 'alive',
      ...diskOf(numbering.sourceOf(site, 'pos').epoch, said.agent ?? 'edge-1'),
      uptimeMs: said.uptimeMs ?? yearMs,
      bootAt: at - 3_600_000,
      at: at + (said.clockAheadMs ?? 0),
      agentVersion: said.version ?? '0.1.0',
      sources,
      pending: said.pending ?? 0,
    });
    await noteStatuses(pool, names, [{ status, heardAt: at }], (stream) => topics[stream]);
  };

  return {
    sell,
    hear,
    epochOf: (site: string, stream: Stream) => numbering.sourceOf(site, stream).epoch,
    /** Skips seqs, which then are missing between the sales before and after. */
    skip: (site: string, count: number) => {
      numbering.sourceOf(site, 'pos').seq += count;
    },
    /** The site continues in a new epoch from seq 1. */
    newDisk: (site: string) => {
      numbering.forget(site, 'pos');
    },
    /** The site's agent runs on the disk with this epoch again. */
    oldDisk: (site: string, epoch: string) => {
      numbering.sourceOf(site, 'pos').epoch = epoch;
    },
  };
};

/** A page of a list, as the API answers. */
export type Rows<T> = { rows: T[]; next: string | null };

/** One for all stands: another would lock out those that run. */
const password = randomUUID();

export const startReportsStand = async (
  database: BooksDatabase,
  options: {
    now: number;
    timeZone?: string;
    demoNetwork?: string;
    insecureListen?: boolean;
    allowedHosts?: string[];
  },
) => {
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
    allowedHosts: options.allowedHosts ?? [],
    timeZone: options.timeZone ?? 'UTC',
    intervalMinutes: intervalMs / 60_000,
    agentStatusSeconds: 10,
    demoNetwork: options.demoNetwork,
    dashboard: new URL('../../hub/dashboard/', import.meta.url),
    log,
    clock: { now: () => clock.wall, monotonic: () => performance.now() },
    freshMs: 0,
  });

  const branches = await openBranches(database.pool);

  const ask = (path: string, init: RequestInit = {}) => fetch(`${reports.url}${path}`, init);
  const get = async <T>(path: string): Promise<T> => {
    const response = await ask(`/api/v1${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const rows = async <T>(path: string): Promise<T[]> => (await get<Rows<T>>(path)).rows;
  const change = (method: string, path: string, body: unknown = {}, headers: Record<string, string> = {}) =>
    ask(`/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  return {
    ...reports,
    ...branches,
    clock,
    ask,
    get,
    rows,
    change,
    close: async () => {
      await reports.stop();
      await pool.end();
    },
  };
};
