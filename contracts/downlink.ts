import * as z from 'zod';
import { agentName, epoch, seqCount, seqRange, siteName, stream } from './ids.ts';
import { limits } from './limits.ts';

/**
 * Messages to an agent, and its status. The bridge makes receipts; the hub makes marks and replay requests and sends them
 * through Kafka's control topic. Any of them may be lost, duplicated or late, so the agent checks each against what it
 * knows itself. No broker retains them, because the agent asks when it connects.
 */

const ranges = z.array(seqRange).max(limits.rangesPerMessageMax);
/** Milliseconds since 1970 by the Kafka broker's clock. */
const brokerTime = z.number().min(0).max(limits.instantMsMax);

export const receipt = z.discriminatedUnion('kind', [
  /** These seqs are in Kafka, acknowledged by all in-sync replicas; or in the dead-letter topic, which is just as final. */
  z.object({
    v: z.literal(1),
    kind: z.literal('recorded'),
    stream,
    epoch,
    ranges: ranges.min(1),
    recordedAt: brokerTime,
  }),
  /** The bytes arrived damaged: send them again. */
  z.object({ v: z.literal(1), kind: z.literal('damaged'), stream, epoch, ranges: ranges.min(1) }),
  /** Kafka is unavailable or the bridge is full: nothing in flight was taken. Retry after this delay. */
  z.object({ v: z.literal(1), kind: z.literal('hold'), retryAfterMs: z.int().min(0).max(600_000) }),
]);
export type Receipt = z.infer<typeof receipt>;

export const appliedMark = z.object({
  v: z.literal(1),
  kind: z.literal('applied-mark'),
  stream,
  epoch,
  /** Every seq up to here is in the books; 0 when the first one is missing. */
  appliedTo: z.int().min(0),
  /** The highest seq in the books. If it is above the agent's own highest, the agent lost its tail or its disk was restored. */
  highest: z.int().min(0),
  /** The lowest ranges above `appliedTo` that are not in the books, up to the highest seq the agent reported. */
  missing: ranges,
  /**
   * The hub has read everything that Kafka recorded for this source up to this time. A range that was recorded earlier
   * and is still missing was lost after its receipt, so the agent sends it again.
   */
  readTo: brokerTime,
});
export type AppliedMark = z.infer<typeof appliedMark>;

export const replayRequest = z.object({
  v: z.literal(1),
  kind: z.literal('replay-request'),
  id: z.string().max(64),
  stream,
  epoch: epoch.optional(),
  /** By seq within one epoch; both ends inclusive. */
  seqs: seqRange.optional(),
  /** By when the agent accepted the events, their `recordedtime`; both ends inclusive. */
  recorded: z.tuple([z.number(), z.number()]).optional(),
});
export type ReplayRequest = z.infer<typeof replayRequest>;

export const control = z.discriminatedUnion('kind', [appliedMark, replayRequest]);
export type Control = z.infer<typeof control>;

/** Milliseconds since 1970 by the agent's clock, which may be wrong, but it can be written as RFC 3339. */
const agentTime = z.number().min(0).max(limits.instantMsMax);

/** What an agent reports about itself: when it connects, periodically, and when it stops. */
export const status = z.object({
  v: z.literal(1),
  site: siteName,
  agent: agentName,
  status: z.enum(['birth', 'alive', 'stopping']),
  /** One run of the process; every start begins a new one. */
  session: z.uuid(),
  bootAt: agentTime,
  at: agentTime,
  /**
   * How long this session has run with its present database, on a monotonic clock. Absent from older agents.
   */
  uptimeMs: z.int().min(0).max(limits.uptimeMsMax).optional(),
  /**
   * The random id of the agent's database. A different id means a new database: events in the old one may be lost. Absent from
   * older agents, and while a full disk takes no new database.
   */
  database: z.uuid().optional(),
  agentVersion: z.string().max(32),
  /**
   * Every (stream, epoch) with events that are not applied yet, and always the newest of each stream. On connecting, and
   * from time to time, also all others that its database holds, archive included: a hub whose database was restored
   * from a backup has no other way to learn of them.
   */
  sources: z
    .array(
      z.object({
        stream,
        epoch,
        highest: seqCount,
        recordedTo: seqCount,
        appliedTo: seqCount,
        /** When the oldest unrecorded event was accepted; absent when all are recorded. */
        oldestUnrecordedAt: agentTime.optional(),
      }),
    )
    .max(limits.rangesPerMessageMax),
  pending: seqCount,
  databaseBytes: z.int().min(0).max(limits.databaseBytesMax),
  /** Running and recently finished replays: how many events the agent has of each, and how many remain. */
  replays: z
    .array(z.object({ id: z.string().max(64), events: seqCount, left: seqCount }))
    .max(limits.replaysPerStatusMax)
    .optional(),
});
export type Status = z.infer<typeof status>;
