import { isProblem, type Problem, problem } from '@branchline/contracts/errors.ts';
import { type FrameHeader, splitFrame, splitLines } from '@branchline/contracts/frame.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { type BranchAddress, parseMqttTopic } from '@branchline/contracts/topics.ts';

/** What needs a library: checksum and gzip. `inflate` returns at most `limits.frameRawBytesMax` bytes, or a problem. */
export type Codec = {
  crc32(bytes: Uint8Array): number;
  inflate(body: Uint8Array, expectedBytes: number): Uint8Array | Problem;
};

/**
 * What becomes of one message from a branch.
 *
 * - `events`: a valid frame.
 * - `status`: the agent's report on itself.
 * - `damaged`: not the bytes that the agent sent; it is asked to send them again.
 * - `condemned`: the bytes that the agent sent, but invalid. Sending them again could not help, so they go to the
 *   dead-letter topic and are confirmed from there.
 * - `refused`: nobody can be answered, because the message does not say whose it is, or says it wrongly.
 */
export type Routed =
  | { to: 'events'; frame: FrameHeader; events: Uint8Array[] }
  | { to: 'status'; from: BranchAddress; payload: Uint8Array }
  | { to: 'damaged'; frame: FrameHeader; problem: Problem }
  | { to: 'condemned'; frame: FrameHeader; problem: Problem }
  | { to: 'refused'; from: BranchAddress | undefined; problem: Problem };

/** 64 sources of about 200 bytes, and room for later additions. */
export const statusBytesMax = 32 * 1024;

export const route = (
  topic: string,
  payload: Uint8Array,
  owned: ReadonlySet<number>,
  codec: Codec,
): Routed => {
  const address = parseMqttTopic(topic);
  if (isProblem(address)) return { to: 'refused', from: undefined, problem: address };
  const from = { site: address.site, agent: address.agent };
  const refused = (why: Problem): Routed => ({ to: 'refused', from, problem: why });

  if (!owned.has(address.shard))
    return refused(problem('topic-foreign', `shard ${address.shard} is not this bridge's`));
  if (address.channel === 'up') return routeFrame(from, payload, codec);
  if (address.channel !== 'status')
    return refused(problem('topic-foreign', `agents do not publish on ${address.channel}`));
  if (payload.length > statusBytesMax)
    return refused(problem('body-too-large', `a status of ${payload.length} bytes`));
  return { to: 'status', from, payload };
};

const routeFrame = (from: BranchAddress, payload: Uint8Array, codec: Codec): Routed => {
  const refused = (why: Problem): Routed => ({ to: 'refused', from, problem: why });
  const split = splitFrame(payload);
  if (isProblem(split)) return refused(split);
  const { header: frame, body } = split;
  if (frame.site !== from.site || frame.agent !== from.agent) {
    return refused(problem('frame-foreign', `the header says ${frame.site}/${frame.agent}`));
  }
  if (!Number.isSafeInteger(frame.first + frame.count))
    return refused(problem('frame-unreadable', 'seqs beyond what can be counted', 'first'));

  // No checksum for oversized frames: agents make none, and the broker should not have passed them on.
  if (payload.length > limits.frameBytesMax)
    return { to: 'condemned', frame, problem: problem('frame-too-large', `${payload.length} bytes`) };
  if (codec.crc32(body) !== frame.crc) {
    const why = problem('frame-damaged', `the checksum of ${body.length} bytes does not match the header`);
    return { to: 'damaged', frame, problem: why };
  }
  const lines = codec.inflate(body, frame.raw);
  if (isProblem(lines)) return { to: 'condemned', frame, problem: lines };
  if (lines.length !== frame.raw) {
    const why = problem('frame-miscounted', `the header says ${frame.raw} bytes, there are ${lines.length}`);
    return { to: 'condemned', frame, problem: why };
  }
  const events = splitLines(lines, frame.count);
  return isProblem(events) ? { to: 'condemned', frame, problem: events } : { to: 'events', frame, events };
};
