import type { Status } from '@branchline/contracts/downlink.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Outbox } from './core/outbox/state.ts';
import { describe } from './core/outbox.ts';
import { firstUnrecorded, type Session, statusMessage } from './core/status.ts';
import { settledEveryStatuses } from './core/status-sources.ts';
import type { StoreFigures } from './core/store-port.ts';
import type { Uplink } from './io/mqtt-uplink.ts';
import type { Store } from './io/store-thread.ts';

/** Sends the agent's status to the hub. */

/** Regular statuses take at most one in this many bytes that the line carries … */
const lineShare = 8;
/** … but the hub considers a site silent that says nothing for two minutes. */
const statusPauseMsMax = 60_000;

type ReportingPorts = { store: Store; uplink: Uplink; figures(): StoreFigures; clock: Clock };
type ReportingSettings = { session: Session; statusIntervalMs: number };

/**
 * How long this session has run with its present database. A database that replaces a damaged one starts again from 0: what the
 * old one accepted since the session's start may be lost.
 */
const createUptime = ({ figures, clock }: Pick<ReportingPorts, 'figures' | 'clock'>) => {
  let since = clock.monotonic();
  let database = figures().databaseId;
  return (): number => {
    const { databaseId } = figures();
    // While a disk takes no writes, its database has no id, and nothing is accepted.
    if (database !== undefined && databaseId !== database) since = clock.monotonic();
    database = databaseId ?? database;
    return clock.monotonic() - since;
  };
};

export const createReporting = (
  outbox: Outbox,
  { store, uplink, figures, clock }: ReportingPorts,
  { session, statusIntervalMs }: ReportingSettings,
) => {
  const uptime = createUptime({ figures, clock });
  /** When the first unrecorded event of each epoch was accepted. */
  const oldest = async (): Promise<Map<string, number>> => {
    const asked = firstUnrecorded(describe(outbox));
    const answers = asked.length === 0 ? [] : await store.oldest(asked);
    return new Map(
      asked.flatMap(({ epoch }, i) => (typeof answers[i] === 'number' ? [[epoch, answers[i]] as const] : [])),
    );
  };

  let page = 0;
  let pageAt = Number.NEGATIVE_INFINITY;
  /** Paced by time, not by statuses: an event may cause an extra one. */
  const nextPage = (kind: Status['status']): number | undefined => {
    const now = clock.monotonic();
    if (kind !== 'birth' && now - pageAt < settledEveryStatuses * statusIntervalMs) return undefined;
    pageAt = now;
    return page++;
  };

  let nextAt = Number.NEGATIVE_INFINITY;

  const report = async (kind: Status['status']): Promise<void> => {
    const times = await oldest();
    if (!uplink.isUp()) return;
    const message = statusMessage(
      kind,
      session,
      describe(outbox),
      nextPage(kind),
      times,
      outbox.replays.progress(),
      figures(),
      clock.now(),
      uptime(),
    );
    const json = JSON.stringify(message);
    uplink.publishStatus(json);
    nextAt =
      clock.monotonic() + Math.min(statusPauseMsMax, (lineShare * json.length) / outbox.line.bytesPerMs);
  };

  return {
    oldest,
    report,
    /** The regular status, sent less often on a slow line. */
    reportIfDue: async (): Promise<void> => {
      // Even while the link is down: a database that is replaced then must be noticed then.
      uptime();
      if (clock.monotonic() >= nextAt) await report('alive');
    },
  };
};
