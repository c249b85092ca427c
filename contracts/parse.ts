import * as z from 'zod';
import { type ErrorCode, type Problem, problem } from './errors.ts';
import type { Stream } from './ids.ts';
import { ordinaryTransaction } from './ordinary.ts';
import {
  type AbortedTransaction,
  type DayReport,
  dayReportId,
  posEventId,
  posSchemas,
  posTypes,
  type Transaction,
} from './pos.ts';
import { type Count, type Movement, stockSchemas, stockTypes } from './stock.ts';

/**
 * JSON value in, typed event or problem out. Two readings of the same schemas: the intake is strict, so that nothing
 * unknown is ever stored; the books ignore what a newer minor version added.
 */

type Envelope = {
  specversion: '1.0';
  id: string;
  source: string;
  subject?: string | undefined;
  time: string;
  recordedtime?: string | undefined;
  dataclassification?: string | undefined;
  traceparent?: string | undefined;
};

export type TransactionEvent = Envelope & {
  type: typeof posTypes.completed | typeof posTypes.voided;
  data: Transaction;
};
export type AbortedEvent = Envelope & { type: typeof posTypes.aborted; data: AbortedTransaction };
export type DayClosedEvent = Envelope & { type: typeof posTypes.dayClosed; data: DayReport };
export type MovementEvent = Envelope & { type: typeof stockTypes.movement; data: Movement };
export type CountEvent = Envelope & { type: typeof stockTypes.count; data: Count };
export type BranchEvent = TransactionEvent | AbortedEvent | DayClosedEvent | MovementEvent | CountEvent;

const readers = (object: typeof z.strictObject | typeof z.object): Map<string, z.ZodType<BranchEvent>> => {
  const [completed, voided, aborted, dayClosed] = posSchemas(object);
  const [movement, count] = stockSchemas(object);
  return new Map<string, z.ZodType>([
    [posTypes.completed, completed],
    [posTypes.voided, voided],
    [posTypes.aborted, aborted],
    [posTypes.dayClosed, dayClosed],
    [stockTypes.movement, movement],
    [stockTypes.count, count],
  ]) as Map<string, z.ZodType<BranchEvent>>;
};

type Readers = ReturnType<typeof readers>;

// Made when they are first asked for: no process needs both, and a set of them is 1 MB.
let strictReaders: Readers | undefined;
let tolerantReaders: Readers | undefined;

export const streamOf = (type: string): Stream => (type.startsWith('org.branchline.pos.') ? 'pos' : 'stock');

const codeOf = (issue: z.core.$ZodIssue): ErrorCode =>
  issue.code === 'custom' && issue.params?.code === 'unknown-currency' ? 'unknown-currency' : 'schema';

const read = (readersByType: Map<string, z.ZodType<BranchEvent>>, value: unknown): BranchEvent | Problem => {
  const type: unknown =
    typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
  if (typeof type !== 'string')
    return problem('schema', 'an event is a CloudEvents object with a type', 'type');
  const ordinary = type === posTypes.completed ? ordinaryTransaction(value as object) : undefined;
  if (ordinary !== undefined) return ordinary;
  const reader = readersByType.get(type);
  if (reader === undefined)
    return problem('unknown-type', `unknown event type ${JSON.stringify(type.slice(0, 128))}`, 'type');
  const result = reader.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0] as z.core.$ZodIssue;
    return problem(codeOf(issue), issue.message, issue.path.map(String).join('.'));
  }
  const event = result.data;
  const expected = expectedId(event);
  if (event.id !== expected)
    return problem(
      'id-mismatch',
      `the id is ${JSON.stringify(event.id)}, the transaction makes it ${JSON.stringify(expected)}`,
      'id',
    );
  return event;
};

/** The id that an event's own data make; a stock event brings its own. */
const expectedId = (event: BranchEvent): string => {
  switch (event.type) {
    case posTypes.completed:
    case posTypes.voided:
      return posEventId(event.data, event.type === posTypes.voided);
    case posTypes.aborted:
      return posEventId(event.data);
    case posTypes.dayClosed:
      return dayReportId(event.data);
    case stockTypes.movement:
    case stockTypes.count:
      return event.id;
  }
};

/** For the agent: an unknown attribute or field is a problem, because what the schema does not know may be personal. */
export const parseAtIntake = (value: unknown): BranchEvent | Problem => {
  strictReaders ??= readers(z.strictObject);
  return read(strictReaders, value);
};

/** For the hub: unknown fields are ignored, an unknown type is a problem. */
export const parseForBooks = (value: unknown): BranchEvent | Problem => {
  // z.object strips what it does not know; both functions build the same shape otherwise.
  tolerantReaders ??= readers(z.object as unknown as typeof z.strictObject);
  return read(tolerantReaders, value);
};
