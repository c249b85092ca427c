import { isProblem, type Problem, problem } from '@branchline/contracts/errors.ts';
import { sourceFault, withRecordedTime } from '@branchline/contracts/event.ts';
import { hasBadText } from '@branchline/contracts/json.ts';
import { fiscalLosses, type Loss } from '@branchline/contracts/json-losses.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { parseAtIntake, streamOf } from '@branchline/contracts/parse.ts';
import type { ScaleLabel } from '@branchline/contracts/scale-label.ts';
import { isDeeperThan } from './depth.ts';
import type { NewEvent } from './store-port.ts';

/**
 * Turns the bytes of a request into events for the store, or problems. The order matters, because each step protects the next:
 * size, depth, JSON, schema, fiscal data, site, source, text, size of the canonical form.
 */

export type IntakeRules = { site: string; eventBytesMax: number; scaleLabels: readonly ScaleLabel[] };

/** One event of a request: what to store, or why not, with the id if there is one. */
export type Judged = { event: NewEvent } | { problem: Problem; id?: string };

/** `single` if the body is one object; the answer then has its own status code. */
export type Judgement = { single: boolean; items: Judged[] };

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const classificationOf = { pos: 'confidential', stock: 'internal' } as const;

const idOf = (value: unknown): string | undefined => {
  const id = typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : undefined;
  return typeof id === 'string' ? id.slice(0, 128) : undefined;
};

const read = (
  value: unknown,
  rules: IntakeRules,
  recordedTime: string,
  loss: Loss | undefined,
): NewEvent | Problem => {
  // Filled in before the schema orders the keys, so that the canonical form is the same with and without it.
  if (typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string') {
    (value as { dataclassification?: unknown }).dataclassification ??= classificationOf[streamOf(value.type)];
  }
  const event = parseAtIntake(value, rules.scaleLabels);
  if (isProblem(event)) return event;
  if (loss !== undefined) return problem('not-kept', loss.detail, loss.path);
  if (event.data.site.storeId !== rules.site)
    return problem(
      'site-mismatch',
      `the event is of ${event.data.site.storeId}, this agent serves ${rules.site}`,
      'data.site.storeId',
    );
  const fault = sourceFault(event.source, event.data);
  if (fault !== undefined) return problem('source-mismatch', fault, 'source');
  // `recordedtime` says when this agent accepted the event, so one that the till sent is dropped.
  event.recordedtime = undefined;
  const json = JSON.stringify(event);
  if (hasBadText(json)) return problem('bad-text', 'a text holds a NUL character or a lone surrogate');
  const bytes = Buffer.byteLength(json);
  if (bytes > rules.eventBytesMax)
    return problem('event-too-large', `the event is ${bytes} bytes, the limit is ${rules.eventBytesMax}`);
  const text = withRecordedTime(json, recordedTime);
  // `recordedtime` has a fixed length, so the content of every event begins at the same offset.
  return { stream: streamOf(event.type), id: event.id, text, contentAt: text.length - json.length + 1 };
};

const judge = (value: unknown, rules: IntakeRules, recordedTime: string, loss: Loss | undefined): Judged => {
  const result = read(value, rules, recordedTime, loss);
  if (!isProblem(result)) return { event: result };
  const id = idOf(value);
  return id === undefined ? { problem: result } : { problem: result, id };
};

const notText = (body: Uint8Array): string => {
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  return isGzip ? 'not UTF-8: it looks like gzip, but has no content-encoding header' : 'not UTF-8';
};

/** `now` becomes the events' `recordedtime`, the time of acceptance. */
export const judgeBody = (body: Uint8Array, rules: IntakeRules, now: number): Judgement | Problem => {
  if (body.length > limits.intakeBodyBytesMax)
    return problem('body-too-large', `the limit is ${limits.intakeBodyBytesMax} bytes`);
  // One more level for the array around the events.
  if (isDeeperThan(body, limits.eventDepthMax + 1))
    return problem('too-deep', `more than ${limits.eventDepthMax} brackets are open at once`);
  const recordedTime = new Date(now).toISOString();
  let text: string;
  let value: unknown;
  try {
    text = strictUtf8.decode(body);
    value = JSON.parse(text);
  } catch (error) {
    return problem('not-json', error instanceof SyntaxError ? error.message.slice(0, 200) : notText(body));
  }
  if (!Array.isArray(value)) {
    if (typeof value !== 'object' || value === null)
      return problem('not-json', 'neither an object nor an array of objects');
    const [loss] = fiscalLosses(text, [value]);
    return { single: true, items: [judge(value, rules, recordedTime, loss)] };
  }
  if (value.length > limits.intakeEventsPerRequestMax)
    return problem(
      'too-many-events',
      `${value.length} events, the limit is ${limits.intakeEventsPerRequestMax}`,
    );
  const losses = fiscalLosses(text, value);
  return { single: false, items: value.map((item, i) => judge(item, rules, recordedTime, losses[i])) };
};
