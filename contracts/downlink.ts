import * as z from 'zod';
import { agentName, epoch, seqRange, siteName, stream } from './ids.ts';
import { limits } from './limits.ts';

/**
 * What comes back to an agent. Receipts are made by the bridge; marks and replay requests by the hub, which sends them
 * through Kafka's control topic. All of them are hints that may be lost, doubled or late: each is checked against what
 * the agent itself knows, and none is retained by a broker, because the agent asks when it connects.
 */

const ranges = z.array(seqRange).max(limits.rangesPerMessageMax);
/** Milliseconds since 1970 on the clock of Kafka's broker. */
const brokerTime = z.number().min(0);

export const receipt = z.discriminatedUnion('kind', [
  /** These seqs are in Kafka, acknowledged by all in-sync replicas (or in its dead-letter topic, which is as final). */
  z.object({
    v: z.literal(1),
    kind: z.literal('recorded'),
    stream,
    epoch,
    ranges: ranges.min(1),
    recordedAt: brokerTime,
  }),
  /** The bytes that came are not the bytes that were sent: send them again. */
  z.object({ v: z.literal(1), kind: z.literal('damaged'), stream, epoch, ranges: ranges.min(1) }),
  /** Kafka is away or the bridge is full: nothing that is on the way is taken; try again after so many milliseconds. */
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
  /** The highest seq in the books. Above the agent's own highest it tells of a lost tail or a restored disk. */
  highest: z.int().min(0),
  /** The lowest ranges above `appliedTo` that are not in the books, up to the highest seq the agent reported. */
  missing: ranges,
  /**
   * The hub has read everything that Kafka recorded for this source up to this moment. A range that was recorded before
   * it and is still missing was lost behind the receipt, and the agent sends it again.
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
  /** By seq within one epoch, or by the time the agent accepted the events, both ends inclusive. */
  seqs: seqRange.optional(),
  recorded: z.tuple([z.number(), z.number()]).optional(),
});
export type ReplayRequest = z.infer<typeof replayRequest>;

export const control = z.discriminatedUnion('kind', [appliedMark, replayRequest]);
export type Control = z.infer<typeof control>;

/** Milliseconds since 1970 on the agent's clock, which may be wrong, but not beyond what a date can be. */
const agentTime = z.number().min(0).max(8.64e15);

/** What an agent says of itself: when it connects, every so often, and when it stops. */
export const status = z.object({
  v: z.literal(1),
  site: siteName,
  agent: agentName,
  status: z.enum(['birth', 'alive', 'stopping']),
  /** One life of the process; a new one after each start. */
  session: z.uuid(),
  bootAt: agentTime,
  at: agentTime,
  agentVersion: z.string().max(32),
  /**
   * Every (stream, epoch) that still has events which are not applied, and always the newest of each stream. When it
   * connects, and now and then, also the others that its database holds, archive included: a hub whose database was
   * restored from a backup learns of them in no other way.
   */
  sources: z
    .array(
      z.object({
        stream,
        epoch,
        highest: z.int().min(0),
        recordedTo: z.int().min(0),
        appliedTo: z.int().min(0),
        /** When the first event that is not recorded was accepted; absent when nothing waits. */
        oldestUnrecordedAt: agentTime.optional(),
      }),
    )
    .max(limits.rangesPerMessageMax),
  pending: z.int().min(0),
  databaseBytes: z.int().min(0),
  /** The running and the latest finished replays: how many events the agent has of each, and how many are still to go. */
  replays: z
    .array(z.object({ id: z.string().max(64), events: z.int().min(0), left: z.int().min(0) }))
    .max(limits.replaysPerStatusMax)
    .optional(),
});
export type Status = z.infer<typeof status>;
