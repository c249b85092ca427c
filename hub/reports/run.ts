import type { AddressInfo } from 'node:net';
import { systemClock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
import type pg from 'pg';
import { fleetSite } from './figures/fleet.ts';
import { followFlow, selfCheckOf } from './figures/pipeline.ts';
import { followFleet } from './fleet-view.ts';
import { createServer } from './http/server.ts';
import { readPageFiles } from './io/page-files.ts';
import { followChanges } from './live-changes.ts';
import { feedLive } from './live-feed.ts';
import { reportsMetrics } from './metrics.ts';
import { checkEvery } from './self-checks.ts';

/** The reports role on one screen: PostgreSQL → fleet views → figures → HTTP, and the live stream of changes. */
export type ReportsOptions = {
  pool: pg.Pool;
  reportsHost: string;
  reportsPort: number;
  insecureListen: boolean;
  allowedHosts: readonly string[];
  /** The chain's time zone. */
  timeZone: string;
  /** Used until a ledger has stored the interval of the books. */
  intervalMinutes: number;
  agentStatusSeconds: number;
  demoNetwork?: string | undefined;
  /** Folder of the dashboard's files. */
  dashboard: URL;
  log: Log;
  clock?: typeof systemClock;
  /** Maximum age of the fleet view that answers a query. */
  freshMs?: number;
};

const checkEveryMs = 5 * 60_000;
/** A site is silent when this many status messages in a row are missing. */
const statusesMissed = 3;
const usualFreshMs = 400;

export const startReports = async (options: ReportsOptions) => {
  const { pool, log, clock = systemClock } = options;
  // Fail before listening when PostgreSQL is unavailable or refuses to let this role read.
  await pool.query('select 1 from site limit 1');
  const opened = new AsyncDisposableStack();
  const views = followFleet({
    pool,
    chainZone: options.timeZone,
    intervalMs: options.intervalMinutes * 60_000,
    silentAfterMs: options.agentStatusSeconds * 1_000 * statusesMissed,
    clock,
    freshMs: options.freshMs ?? usualFreshMs,
  });
  const flowOf = followFlow(pool, clock);
  const checks = opened.adopt(checkEvery(pool, checkEveryMs, log), (it) => it.stop());
  const changes = followChanges({ pool, flowOf, checks, clock });
  const feed = opened.adopt(feedLive({ views, changes, clock, log }), (it) => it.stop());
  const app = opened.adopt(
    await createServer({
      ports: { pool, views, flowOf, checks, clock, demoNetwork: options.demoNetwork },
      feed,
      files: readPageFiles(options.dashboard),
      hosts: { names: options.allowedHosts, anyAddress: options.insecureListen },
      log,
    }),
    (it) => it.close(),
  );
  try {
    await app.listen({ host: options.reportsHost, port: options.reportsPort });
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
  if (options.insecureListen)
    log.warn(
      { host: options.reportsHost },
      'reports listen without sign-in: anyone who reaches this address can read all figures and change calendars',
    );
  const { port } = app.server.address() as AddressInfo;
  const host = options.reportsHost.includes(':') ? `[${options.reportsHost}]` : options.reportsHost;
  const url = `http://${host}:${port}`;
  return {
    url,
    status: () => ({ url, streams: feed.clients(), booksEqual: checks.known()?.equal ?? null }),
    /** The current state of the whole chain, for Prometheus. */
    metrics: async () => {
      const view = await views.now();
      const [{ exactness }, check] = await Promise.all([flowOf(view), checks.last()]);
      return reportsMetrics({
        sites: view.sites.map((site) => fleetSite(view, site)),
        exactness: { ...exactness, check: check === undefined ? null : selfCheckOf(check) },
        nowMs: clock.now(),
      });
    },
    stop: () => opened.disposeAsync(),
  };
};
