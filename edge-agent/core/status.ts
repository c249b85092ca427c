import type { Status } from '@branchline/contracts/downlink.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { ReplayProgress } from './outbox/replays.ts';
import type { describe } from './outbox.ts';
import { namedSources } from './status-sources.ts';
import type { StoreFigures } from './store-port.ts';

/** The agent's status, for the hub and for people. */

type Sources = ReturnType<typeof describe>;

/** One run of the process; `id` is random. */
export type Session = { site: string; agent: string; id: string; bootAt: number; agentVersion: string };

export type SendingFigures = {
  framesSent: number;
  framesResent: number;
  alarms: number;
  unreadable: number;
  linkUp: boolean;
  /** Consecutive links that broke soon after they came up. */
  briefLinks: number;
  /** Reconnects since the last receipt, made because none came although the link was up. */
  reconnects: number;
};

export type IntakeCounters = { duplicates: number; refused: number };

/**
 * The seqs whose acceptance times the status needs: the first unrecorded one of each source that it names. These are the
 * oldest, so the oldest event of all is among them.
 */
export const firstUnrecorded = (sources: Sources) =>
  namedSources(sources, undefined)
    .filter((source) => source.recordedTo < source.highest)
    .map(({ stream, epoch, recordedTo }) => ({ stream, epoch, seq: recordedTo + 1 }));

type Oldest = Map<string, number>;

export const statusMessage = (
  kind: Status['status'],
  session: Session,
  sources: Sources,
  /** See namedSources. */
  page: number | undefined,
  oldest: Oldest,
  replays: ReplayProgress[],
  figures: StoreFigures,
  now: number,
  uptimeMs: number,
): Status => ({
  v: 1,
  site: session.site,
  agent: session.agent,
  status: kind,
  session: session.id,
  bootAt: session.bootAt,
  at: now,
  uptimeMs: Math.min(limits.uptimeMsMax, Math.floor(uptimeMs)),
  ...(figures.databaseId === undefined ? {} : { database: figures.databaseId }),
  agentVersion: session.agentVersion,
  sources: namedSources(sources, page).map(({ stream, epoch, highest, recordedTo, appliedTo }) => {
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

/** The answer to `GET /v1/status`. Events are counted since the database was created, refusals since this start. */
export const statusPage = (
  session: Session,
  sources: Sources,
  oldest: Oldest,
  figures: StoreFigures,
  intake: IntakeCounters,
  sending: SendingFigures,
) => {
  const accepted = figures.retired + sum(sources, (source) => source.highest);
  const pending = sum(sources, (source) => source.pending);
  return {
    site: session.site,
    agent: session.agent,
    session: session.id,
    linkUp: sending.linkUp,
    briefLinks: sending.briefLinks,
    reconnects: sending.reconnects,
    accepted,
    duplicates: intake.duplicates,
    refused: intake.refused,
    recorded: accepted - pending,
    applied: figures.retired + sum(sources, (source) => source.appliedTo),
    pending,
    heldBack: sum(sources, (source) => source.heldBack),
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
    noRoom: figures.noRoom ?? null,
    damagedFiles: figures.damagedFiles,
    salvaging: figures.isSalvaging,
    databaseBytes: figures.databaseBytes,
    walBytes: figures.walBytes,
  };
};

const sum = (sources: Sources, of: (source: Sources[number]) => number): number =>
  sources.reduce((total, source) => total + of(source), 0);
