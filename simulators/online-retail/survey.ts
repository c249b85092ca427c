import { isProblem, type Problem, problem } from '@branchline/contracts/errors.ts';
import { hasBadText } from '@branchline/contracts/json.ts';
import { limits } from '@branchline/contracts/limits.ts';
import { parseAtIntake } from '@branchline/contracts/parse.ts';
import { posTypes } from '@branchline/contracts/pos.ts';
import { atOf, createDayEvents, type DayEvent } from './day-events.ts';
import { type Expected, expectInvoice, nothingExpected } from './expected.ts';
import { DataSetError, type Invoice, type InvoiceLine } from './invoice.ts';

/**
 * Surveys what will be sent before anything starts. Every event goes through the intake's own parser, so a row that an agent
 * would refuse is reported at once with its file and line, even if it is the last row of the last file.
 */
export type Survey = {
  expected: Expected;
  events: number;
  transactions: number;
  movements: number;
  dayReports: number;
  /** Event times of the first and the last event, milliseconds since 1970. */
  firstAt: number;
  lastAt: number;
  largestEventBytes: number;
};

const kindOf = ({ type }: DayEvent): 'transactions' | 'movements' | 'dayReports' =>
  type === posTypes.dayClosed
    ? 'dayReports'
    : type.startsWith('org.branchline.pos.')
      ? 'transactions'
      : 'movements';

/** Room for the classification that the agent adds. */
const addedBytes = 64;

const refusalOf = (text: string): Problem | undefined => {
  const parsed = parseAtIntake(JSON.parse(text));
  if (isProblem(parsed)) return parsed;
  if (hasBadText(text)) return problem('bad-text', 'a text holds a NUL character or a lone surrogate');
  const bytes = Buffer.byteLength(text) + addedBytes;
  return bytes > limits.eventBytesCeiling
    ? problem('event-too-large', `the event is ${bytes} bytes, the limit is ${limits.eventBytesCeiling}`)
    : undefined;
};

/** The line of the file that a refusal refers to, or the first line of the invoice. */
const lineOf = ({ lines }: Invoice, { where = '' }: Problem): InvoiceLine =>
  (lines[Number(/^data\.lines\.(\d+)/.exec(where)?.[1] ?? 0)] ?? lines[0]) as InvoiceLine;

/** Throws DataSetError if an agent would refuse an event. Day-end reports follow from the invoices. */
const createCheck = () => {
  const lineOfId = new Map<string, InvoiceLine>();
  return (event: DayEvent, text: string, invoice: Invoice): void => {
    const refusal = refusalOf(text);
    if (refusal !== undefined) {
      const { file, line } = lineOf(invoice, refusal);
      throw new DataSetError(file, line, `an agent refuses the event: ${refusal.detail} (${refusal.code})`);
    }
    const first = invoice.lines[0] as InvoiceLine;
    const key = `${event.data.site.storeId}/${event.id}`;
    const other = lineOfId.get(key);
    if (other !== undefined && event.type !== posTypes.dayClosed)
      throw new DataSetError(
        first.file,
        first.line,
        `invoice ${first.invoiceNo} has the same number as ${other.invoiceNo} in ${other.file}, line ${other.line}`,
      );
    lineOfId.set(key, first);
  };
};

export const surveyDays = async (
  days: AsyncIterable<Invoice[]>,
  sites: number,
  dayReports = true,
): Promise<Survey> => {
  const eventsOf = createDayEvents(sites, dayReports);
  const check = createCheck();
  const survey: Survey = {
    expected: nothingExpected(),
    events: 0,
    transactions: 0,
    movements: 0,
    dayReports: 0,
    firstAt: Number.POSITIVE_INFINITY,
    lastAt: Number.NEGATIVE_INFINITY,
    largestEventBytes: 0,
  };
  for await (const invoices of days) {
    for (const invoice of invoices) expectInvoice(survey.expected, invoice);
    for (const [i, event] of eventsOf(invoices).entries()) {
      const text = JSON.stringify(event);
      check(event, text, (invoices[i] ?? invoices.at(-1)) as Invoice);
      survey.events++;
      survey[kindOf(event)]++;
      survey.firstAt = Math.min(survey.firstAt, atOf(event));
      survey.lastAt = Math.max(survey.lastAt, atOf(event));
      survey.largestEventBytes = Math.max(survey.largestEventBytes, Buffer.byteLength(text));
    }
  }
  if (survey.events === 0) throw new Error('the files have no invoices');
  return survey;
};
