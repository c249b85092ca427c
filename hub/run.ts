import type { Kafka } from '@branchline/drivers/kafka/client.ts';
import type { Log } from '@branchline/kernel/log.ts';
import { processMetrics } from '@branchline/kernel/process-metrics.ts';
import { serveStatus } from '@branchline/kernel/status-server.ts';
import type { HubConfig } from './config.ts';
import { checkInterval } from './io/check-interval.ts';
import { checkServer } from './io/check-server.ts';
import { openPool, openReportsPool } from './io/postgres-pool.ts';
import type { BooksPolicy } from './ledger/books/transaction.ts';
import { startLedger } from './ledger/run.ts';
import packageJson from './package.json' with { type: 'json' };
import { checkLateVoids } from './postgres/correct-late-voids.ts';
import { startReports } from './reports/run.ts';
import { serverFaultOf } from './server-fault.ts';
import { untilAvailable } from './until-available.ts';

/** Beside this file, in the tree and in a bundle. */
const dashboard = new URL('./dashboard/', import.meta.url);

type Ledger = Awaited<ReturnType<typeof startLedger>>;
type Reports = Awaited<ReturnType<typeof startReports>>;
type Hub = { config: HubConfig; log: Log; opened: AsyncDisposableStack; stopped: AbortSignal };

const startLedgerRole = async (
  { config, log, opened, stopped }: Hub,
  kafka: Kafka,
  policy: BooksPolicy | undefined,
): Promise<Ledger | undefined> => {
  const poolOf = (connections: number) =>
    opened.adopt(openPool(config.postgres, config.instance, connections, log), (pool) => pool.end());
  const slicePool = poolOf(7);
  // Slices wait for names, and statuses wait for slices: in one shared pool, four statuses could block a slice.
  const [namePool, sidePool] = [poolOf(2), poolOf(4)];
  return untilAvailable(log, stopped, async () => {
    await checkServer(sidePool);
    await checkLateVoids(sidePool);
    await checkInterval(sidePool, config.intervalMinutes);
    const ledger = await startLedger({
      kafka,
      topicPrefix: config.topicPrefix,
      slicePool,
      namePool,
      sidePool,
      intervalMs: config.intervalMinutes * 60_000,
      instance: config.instance,
      stuckMs: config.stuckMinutes * 60_000,
      abort: () => process.exit(1),
      keepDays: {
        quarantine: config.quarantineKeepDays,
        replay_request: config.replayKeepDays,
        self_check: config.selfCheckKeepDays,
        correction: config.correctionKeepDays,
        hub_state: config.hubStateKeepDays,
      },
      log,
      ...(policy === undefined ? {} : { policy }),
    });
    opened.adopt(ledger, (role) => role.stop());
    log.info({ instance: config.instance }, 'ledger started');
    return ledger;
  });
};

const startReportsRole = async ({ config, log, opened, stopped }: Hub): Promise<Reports | undefined> => {
  const pool = opened.adopt(openReportsPool(config.postgres, `${config.instance}-reports`, log), (it) =>
    it.end(),
  );
  return untilAvailable(log, stopped, async () => {
    await checkServer(pool);
    const reports = await startReports({ ...config, dashboard, pool, log });
    opened.adopt(reports, (role) => role.stop());
    log.info({ instance: config.instance, url: reports.url }, 'reports started');
    return reports;
  });
};

/** The hub on one screen: its roles start in this order and stop in reverse. */
export const runHub = async (config: HubConfig, kafka: Kafka, log: Log, policy?: BooksPolicy) => {
  const stopped = new AbortController();
  const opened = new AsyncDisposableStack();
  const hub: Hub = { config, log, opened, stopped: stopped.signal };
  let ledger: Ledger | undefined;
  let reports: Reports | undefined;

  // The status page answers at once: a hub that waits for Kafka is alive, and says what it waits for.
  const wanted = (role: HubConfig['roles'][number]) => config.roles.includes(role);
  const status = () => ({
    ready:
      wanted('ledger') === (ledger !== undefined) &&
      wanted('reports') === (reports !== undefined) &&
      (ledger === undefined || ledger.status().unreadable.length === 0),
    roles: config.roles,
    ...ledger?.status(),
    ...(reports === undefined ? {} : { reports: reports.status() }),
  });
  const ofProcess = processMetrics('hub', packageJson.version);
  const metrics = async () => [
    ...ofProcess(),
    ...(ledger?.metrics() ?? []),
    // Without PostgreSQL the chain's metrics are unknown; those of the process matter all the more.
    ...((await reports?.metrics().catch(() => [])) ?? []),
  ];
  const server = await serveStatus({ host: config.statusHost, port: config.statusPort }, status, metrics);
  // A permanent failure must end the process at once.
  const fatal = (error: unknown) => {
    const fault = serverFaultOf(error);
    if (fault === undefined) log.error({ err: error }, 'the hub cannot start');
    else log.error({ reason: fault.reason }, `the hub cannot start: ${fault.message}`);
    process.exit(1);
  };
  const starting: Promise<void>[] = [];
  if (wanted('ledger'))
    starting.push(
      startLedgerRole(hub, kafka, policy).then((started) => {
        ledger = started;
      }, fatal),
    );
  if (wanted('reports'))
    starting.push(
      startReportsRole(hub).then((started) => {
        reports = started;
      }, fatal),
    );

  return {
    stop: async (reason: string) => {
      log.info({ reason }, 'hub stopping');
      stopped.abort();
      await Promise.all(starting);
      await server.close();
      await opened.disposeAsync();
    },
  };
};
