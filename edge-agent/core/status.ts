import type { Status } from '@branchline/contracts/downlink.ts';
import type { ReplayProgress } from './outbox/replays.ts';
import type { describe } from './outbox.ts';
import { namedSources } from './status-sources.ts';
import type { StoreFigures } from './store-port.ts';

/** What the agent says of itself, to the hub and to people. */

type Sources = ReturnType<typeof describe>;

/** One life of the process. */
export type Life = { site: string; agent: string; session: string; bootAt: number; agentVersion: string };

export type IntakeCounters = { duplicates: number; refused: number };

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
  /** See namedSources. */
  turn: number | undefined,
  oldest: Oldest,
  replays: ReplayProgress[],
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
  sources: namedSources(sources, turn).map(({ stream, epoch, highest, recordedTo, appliedTo }) => {
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
  ...(replays.length === 0 ? {} : { replays }),
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
