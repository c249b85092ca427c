import * as z from 'zod';
import { type ErrorCode, isProblem, type Problem, problem } from './errors.ts';
import type { Stream } from './ids.ts';
import { nameItem } from './item.ts';
import { limits } from './limits.ts';
import {
  type AbortedTransaction,
  type DayReport,
  type DayReportName,
  dayReportId,
  posEventId,
  posSchemas,
  posTypes,
  type Transaction,
  type TransactionName,
} from './pos.ts';
import type { ScaleLabel } from './scale-label.ts';
import { type Count, type Movement, stockSchemas, stockTypes } from './stock.ts';

/**
 * Turns a JSON value into a typed event or a problem. The intake reads strictly, so that nothing unknown is ever stored; the
 * books ignore fields that a newer minor version added. zod compiles each schema when the first event of its type arrives:
 * valid events take the compiled path, and for all others the uncompiled schema finds the message (decision 019).
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

type Schema = z.ZodType<BranchEvent>;

const schemasByType = (object: typeof z.strictObject | typeof z.object): Map<string, Schema> => {
  const [completed, voided, aborted, dayClosed] = posSchemas(object);
  const [movement, count] = stockSchemas(object);
  return new Map<string, Schema>([
    [posTypes.completed, completed],
    [posTypes.voided, voided],
    [posTypes.aborted, aborted],
    [posTypes.dayClosed, dayClosed],
    [stockTypes.movement, movement],
    [stockTypes.count, count],
  ]);
};

/** Builds and compiles schemas on first use: no process needs both readings, and few see every type. All schemas take 1 MB. */
const compiledByType = (object: typeof z.strictObject | typeof z.object) => {
  let schemas: Map<string, Schema> | undefined;
  const compiled = new Map<string, Schema>();
  return (type: string): Schema | undefined => {
    const known = compiled.get(type);
    if (known !== undefined) return known;
    schemas ??= schemasByType(object);
    const schema = schemas.get(type);
    if (schema === undefined) return undefined;
    const made = z.compile(schema);
    compiled.set(type, made);
    return made;
  };
};

const strict = compiledByType(z.strictObject);
// z.object drops unknown fields; apart from that, both build the same shape.
const tolerant = compiledByType(z.object as unknown as typeof z.strictObject);

export const streamOf = (type: string): Stream => (type.startsWith('org.branchline.pos.') ? 'pos' : 'stock');

const codeOf = (issue: z.core.$ZodIssue): ErrorCode =>
  (issue.code === 'custom' ? (issue.params?.code as ErrorCode | undefined) : undefined) ?? 'schema';

const read = (schemaOf: (type: string) => Schema | undefined, value: unknown): BranchEvent | Problem => {
  const type: unknown =
    typeof value === 'object' && value !== null ? (value as { type?: unknown }).type : undefined;
  if (typeof type !== 'string')
    return problem('schema', 'an event is a CloudEvents object with a type', 'type');
  const schema = schemaOf(type);
  if (schema === undefined)
    return problem('unknown-type', `unknown event type ${JSON.stringify(type.slice(0, 128))}`, 'type');
  const result = schema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0] as z.core.$ZodIssue;
    return problem(codeOf(issue), issue.message, issue.path.map(String).join('.'));
  }
  const event = result.data;
  const expected = eventIdOf(event);
  if (event.id !== expected)
    return problem(
      'id-mismatch',
      `the id is ${JSON.stringify(event.id)}, its data make it ${JSON.stringify(expected)}`,
      'id',
    );
  return event;
};

/** The fields of an event from which its id is derived. */
type Named = {
  id: string;
} & (
  | { type: typeof posTypes.completed | typeof posTypes.voided; data: TransactionName }
  | { type: typeof posTypes.aborted; data: TransactionName }
  | { type: typeof posTypes.dayClosed; data: DayReportName }
  | { type: typeof stockTypes.movement | typeof stockTypes.count }
);

/** The id that an event must have, derived from its data; a stock event may have any. */
export const eventIdOf = (event: Named): string => {
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

const isAskable = (day: string): boolean => day >= limits.dayMin && day <= limits.dayMax;

/** A day outside every report would hide what was sold on it. Tills whose clock was never set send the year 1. */
const dayFault = ({ time, data }: BranchEvent): Problem | undefined => {
  const fault = (where: string) =>
    problem('schema', 'must be of the years 3 to 9996; check the clock of the till', where);
  if (!isAskable(time.slice(0, 10))) return fault('time');
  if (!('businessDay' in data)) return undefined;
  if (!isAskable(data.businessDay)) return fault('data.businessDay');
  const references = 'references' in data ? (data.references ?? []) : [];
  const wrong = references.findIndex(({ businessDay }) => !isAskable(businessDay));
  return wrong === -1 ? undefined : fault(`data.references.${wrong}.businessDay`);
};

/**
 * For the agent: an unknown attribute or field is a problem, because it may hold personal data. Items get the id under which
 * the books keep them. Checks that only the intake makes are here and not in the schemas, because the books must still apply
 * what agents accepted before (decision 025).
 */
export const parseAtIntake = (
  value: unknown,
  scaleLabels: readonly ScaleLabel[] = [],
): BranchEvent | Problem => {
  const event = read(strict, value);
  if (isProblem(event)) return event;
  const days = dayFault(event);
  if (days !== undefined) return days;
  if (!('lines' in event.data)) return event;
  const { lines } = event.data;
  for (let i = 0; i < lines.length; i++) {
    const fault = nameItem((lines[i] as (typeof lines)[number]).item, scaleLabels);
    if (fault !== undefined) return problem(fault.code, fault.detail, `data.lines.${i}.item.${fault.where}`);
  }
  return event;
};

/** For the hub: unknown fields are ignored, an unknown type is a problem. */
export const parseForBooks = (value: unknown): BranchEvent | Problem => read(tolerant, value);
