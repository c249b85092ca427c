import { posTypes } from '@branchline/contracts/pos.ts';
import { atOf, createDayEvents, type DayEvent } from './day-events.ts';
import { expectInvoice } from './expected.ts';
import type { Figures } from './figures.ts';
import type { Invoice } from './invoice.ts';

/** What will be sent, surveyed before anything is started, so that a bad row in the last file is reported at once. */
export type Survey = {
  expected: Map<string, Figures>;
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

export const surveyDays = async (
  days: AsyncIterable<Invoice[]>,
  sites: number,
  dayReports = true,
): Promise<Survey> => {
  const eventsOf = createDayEvents(sites, dayReports);
  const survey: Survey = {
    expected: new Map(),
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
    for (const event of eventsOf(invoices)) {
      survey.events++;
      survey[kindOf(event)]++;
      survey.firstAt = Math.min(survey.firstAt, atOf(event));
      survey.lastAt = Math.max(survey.lastAt, atOf(event));
      survey.largestEventBytes = Math.max(survey.largestEventBytes, Buffer.byteLength(JSON.stringify(event)));
    }
  }
  return survey;
};
