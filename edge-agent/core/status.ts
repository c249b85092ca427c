import type { Status } from '@branchline/contracts/downlink.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { describe } from './outbox.ts';
import type { StoreFigures } from './store-port.ts';

/** What the agent says of itself, to the hub and to people. */

type Sources = ReturnType<typeof describe>;

/** One life of the process. */
export type Life = { site: string; agent: string; session: string; bootAt: number; agentVersion: string };

export type IntakeCounters = { duplicates: number; refused: number };

/** Sources with something left to do, and the newest of each stream; the oldest first, as many as fit. */
const reported = (sources: Sources): Sources => {
  const chosen = sources.filter(
    (source, i) =>
      source.appliedTo < source.highest ||
      !sources.slice(i + 1).some((later) => later.stream === source.stream),
  );
  return chosen.length <= limits.rangesPerMessageMax
    ? chosen
    : [...chosen.slice(0, limits.rangesPerMessageMax - 2), ...chosen.slice(-2)];
};

/** The seqs whose time of acceptance the status needs: the first of each source that is not recorded. */
export const firstUnrecorded = (sources: Sources) =>
  sources
    .filter((source) => source.recordedTo < source.highest)
    .map(({ stream, epoch, recordedTo }) => ({ stream, epoch, seq: recordedTo + 1 }));

type Oldest = Map<string, number>;

export const statusMessage = (
  kind: Status['status'],
  life: Life,
  sources: Sources,
  oldest: Oldest,
  figures: StoreFigures,
  now: number,
): Status => ({
  v: 1,
  site: life.site,
  agent: life.agent,
  status: kind,
  session: life.session,
  bootAt: life.bootAt,
  at: now,
  agentVersion: life.agentVersion,
  sources: reported(sources).map(({ stream, epoch, highest, recordedTo, appliedTo }) => {
    const oldestUnrecordedAt = oldest.get(epoch);
    return {
      stream,
      epoch,
      highest,
      recordedTo,
      appliedTo,
      ...(oldestUnrecordedAt === undefined ? {} : { oldestUnrecordedAt }),
    };
  }),
  pending: sum(sources, (source) => source.pending),
  databaseBytes: figures.databaseBytes,
});

/** The answer of `GET /v1/status`. Events are counted since the database was made, refusals since this start. */
export const statusPage = (
  life: Life,
  sources: Sources,
  oldest: Oldest,
  figures: StoreFigures,
  intake: IntakeCounters,
  sending: { framesSent: number; framesResent: number; alarms: number; unreadable: number; linkUp: boolean },
) => {
  const accepted = figures.retired + sum(sources, (source) => source.highest);
  const pending = sum(sources, (source) => source.pending);
  return {
    site: life.site,
    agent: life.agent,
    session: life.session,
    linkUp: sending.linkUp,
    accepted,
    duplicates: intake.duplicates,
    refused: intake.refused,
    recorded: accepted - pending,
    applied: figures.retired + sum(sources, (source) => source.appliedTo),
    pending,
    oldestUnrecordedAt: oldest.size === 0 ? null : Math.min(...oldest.values()),
    highestBySource: sources.map(({ stream, epoch, highest, recordedTo, appliedTo }) => ({
      stream,
      epoch,
      highest,
      recordedTo,
      appliedTo,
    })),
    framesSent: sending.framesSent,
    framesResent: sending.framesResent,
    alarms: sending.alarms,
    unreadable: sending.unreadable,
    damagedRows: figures.damagedRows,
    databaseBytes: figures.databaseBytes,
    walBytes: figures.walBytes,
  };
};

const sum = (sources: Sources, of: (source: Sources[number]) => number): number =>
  sources.reduce((total, source) => total + of(source), 0);
