import * as z from 'zod';
import { type Problem, problem } from './errors.ts';
import { agentName, epoch, fnv1a, seq, siteName, stream } from './ids.ts';
import { limits } from './limits.ts';

/**
 * A batch frame: one MQTT payload with many events. An uncompressed header line, so that a frame with a damaged body can
 * still be identified, then the events, one canonical JSON object per line, gzip-compressed as a whole:
 *
 *     {"v":1,"site":…,"agent":…,"stream":"pos","epoch":…,"first":1201,"count":200,"raw":81234,"crc":123456} 9f3a01bc\n<gzip>
 *
 * The header line ends with its own checksum, because a flipped digit in `first` would record every event under a wrong seq.
 * Event i of the frame has seq first + i. The framing is private, not a CloudEvents content mode: the MQTT binding has no
 * batch mode. The caller compresses and computes the body's checksum, because both need a driver.
 */
export const frameHeader = z.strictObject({
  v: z.literal(1),
  site: siteName,
  agent: agentName,
  stream,
  epoch,
  first: seq,
  count: z.int().min(1).max(limits.frameEventsMax),
  /** Bytes of the lines before compression, newlines included. */
  raw: z.int().min(2).max(limits.frameRawBytesMax),
  /** CRC-32 (IEEE 802.3) of the compressed bytes. */
  crc: z.int().min(0).max(0xffffffff),
});
export type FrameHeader = z.infer<typeof frameHeader>;

const newline = 10;

/** The header's JSON followed by its FNV-1a hash in eight hexadecimal digits. */
export const checkedLine = (json: string): string => `${json} ${fnv1a(json).toString(16).padStart(8, '0')}`;

export const joinFrame = (header: FrameHeader, body: Uint8Array): Uint8Array => {
  const line = new TextEncoder().encode(`${checkedLine(JSON.stringify(header))}\n`);
  const frame = new Uint8Array(line.length + body.length);
  frame.set(line);
  frame.set(body, line.length);
  return frame;
};

export const splitFrame = (frame: Uint8Array): { header: FrameHeader; body: Uint8Array } | Problem => {
  const end = frame.subarray(0, limits.frameHeaderBytesMax).indexOf(newline);
  if (end === -1) return problem('frame-unreadable', 'no header line');
  let line: string;
  try {
    line = new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(0, end));
  } catch {
    return problem('frame-unreadable', 'the header line is not UTF-8');
  }
  const json = line.slice(0, -9);
  if (checkedLine(json) !== line)
    return problem('frame-unreadable', 'the header line does not end with its own checksum');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return problem('frame-unreadable', 'the header line is not JSON');
  }
  const header = frameHeader.safeParse(value);
  if (!header.success) {
    const issue = header.error.issues[0] as z.core.$ZodIssue;
    return problem('frame-unreadable', issue.message, issue.path.map(String).join('.'));
  }
  return { header: header.data, body: frame.subarray(end + 1) };
};

/** The lines of an inflated body, as views into it; a problem unless there are as many as the header says. */
export const splitLines = (lines: Uint8Array, count: number): Uint8Array[] | Problem => {
  const events: Uint8Array[] = [];
  let start = 0;
  while (start < lines.length && events.length <= count) {
    const end = lines.indexOf(newline, start);
    if (end === -1) return problem('frame-miscounted', 'the last line is not complete');
    if (end === start) return problem('frame-miscounted', 'an empty line');
    events.push(lines.subarray(start, end));
    start = end + 1;
  }
  return events.length === count ? events : problem('frame-miscounted', `the header says ${count} events`);
};
