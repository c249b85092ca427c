import type { Receipt } from '@branchline/contracts/downlink.ts';
import type { Problem } from '@branchline/contracts/errors.ts';
import type { FrameHeader } from '@branchline/contracts/frame.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { BranchAddress } from '@branchline/contracts/topics.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import { Allowance } from '../core/allowance.ts';
import type { Counters } from '../core/counters.ts';
import { Hold } from '../core/hold.ts';
import { condemnedParcel, eventsParcel, evidenceParcel, type Parcel, statusParcel } from '../core/parcel.ts';
import { type Codec, route } from '../core/route.ts';
import type { Recording } from './record.ts';

const evidencePerAgentAndMinute = 5;
const agentsRememberedMax = 10_000;
/** How long an agent that was turned away is told to wait, and the least time before it is told again. */
const retryAfterMs = 2_000;
const tellAgainMs = 1_000;

export type ReceiverPorts = {
  owned: ReadonlySet<number>;
  codec: Codec;
  recording: Recording;
  tell(to: BranchAddress, receipt: Receipt): void;
  clock: Clock;
  counters: Counters;
};

/** The first stage: turns an MQTT message into at most one parcel, and gives the answers that need no Kafka. */
export const createReceiver = ({ owned, codec, recording, tell, clock, counters }: ReceiverPorts) => {
  const allowance = new Allowance({ perMinute: evidencePerAgentAndMinute, keysMax: agentsRememberedMax });
  const hold = new Hold({ repeatMs: tellAgainMs, agentsMax: agentsRememberedMax });

  const submitOrHold = (parcel: Parcel, from: BranchAddress) => {
    if (recording.hasRoom(parcel.bytes)) {
      if (!recording.submit(parcel)) counters.repeated++;
      return;
    }
    counters.held++;
    if (hold.turnAway(from, clock.monotonic())) tell(from, { v: 1, kind: 'hold', retryAfterMs });
  };

  const keepEvidence = (from: BranchAddress | undefined, why: Problem, payload: Uint8Array) => {
    const key = from === undefined ? '' : `${from.site}/${from.agent}`;
    const parcel = evidenceParcel(from, why, payload.subarray(0, limits.frameBytesMax));
    if (allowance.take(key, clock.monotonic()) && recording.hasRoom(parcel.bytes)) recording.submit(parcel);
    else counters.evidenceDropped++;
  };

  const condemn = (frame: FrameHeader, why: Problem, payload: Uint8Array) => {
    const seqs = { first: frame.first, last: frame.first + frame.count - 1 };
    const parcel = condemnedParcel(frame, seqs, why, payload.subarray(0, limits.frameBytesMax));
    submitOrHold(parcel, frame);
  };

  const onMessage = (topic: string, payload: Uint8Array): void => {
    const routed = route(topic, payload, owned, codec);
    if (routed.to !== 'status') counters.frames++;
    switch (routed.to) {
      case 'events':
        counters.events += routed.events.length;
        submitOrHold(eventsParcel(routed.frame, routed.events), routed.frame);
        break;
      case 'condemned':
        condemn(routed.frame, routed.problem, payload);
        break;
      case 'damaged': {
        counters.damaged++;
        const { stream, epoch, first, count } = routed.frame;
        tell(routed.frame, { v: 1, kind: 'damaged', stream, epoch, ranges: [[first, first + count - 1]] });
        keepEvidence(routed.frame, routed.problem, payload);
        break;
      }
      case 'refused':
        counters.refusedFrames++;
        keepEvidence(routed.from, routed.problem, payload);
        break;
      case 'status': {
        counters.statuses++;
        const parcel = statusParcel(routed.from, routed.payload);
        if (!recording.hasRoom(parcel.bytes) || !recording.submitNewest(parcel)) counters.statusesDropped++;
      }
    }
  };

  /** Half of the buffer is free again: every agent that was turned away may come back at once. */
  const onRoom = () => {
    for (const agent of hold.callBack()) tell(agent, { v: 1, kind: 'hold', retryAfterMs: 0 });
  };

  return { onMessage, onRoom };
};
