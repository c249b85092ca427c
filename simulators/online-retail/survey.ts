import type { MovementEvent, SlipEvent } from '@branchline/contracts/parse.ts';
import { expectInvoice } from './expected.ts';
import type { Figures } from './figures.ts';
import type { Invoice } from './invoice.ts';
import { eventOf } from './mapping.ts';

/** What a replay will send, found out before anything is started: a bad row in the last file shows at once. */
export type Survey = {
  expected: Map<string, Figures>;
  events: number;
  slips: number;
  movements: number;
  /** Event times of the first and the last event, milliseconds since 1970. */
  firstAt: number;
  lastAt: number;
  largestEventBytes: number;
};

export const atOf = (event: SlipEvent | MovementEvent): number => Date.parse(event.time);

export const surveyDays = async (days: AsyncIterable<Invoice[]>, sites: number): Promise<Survey> => {
  const survey: Survey = {
    expected: new Map(),
    events: 0,
    slips: 0,
    movements: 0,
    firstAt: Number.POSITIVE_INFINITY,
    lastAt: Number.NEGATIVE_INFINITY,
    largestEventBytes: 0,
  };
  for await (const invoices of days)
    for (const invoice of invoices) {
      const event = eventOf(invoice, sites);
      expectInvoice(survey.expected, invoice);
      survey.events++;
      survey[event.type.startsWith('org.branchline.pos.') ? 'slips' : 'movements']++;
      survey.firstAt = Math.min(survey.firstAt, atOf(event));
      survey.lastAt = Math.max(survey.lastAt, atOf(event));
      survey.largestEventBytes = Math.max(survey.largestEventBytes, Buffer.byteLength(JSON.stringify(event)));
    }
  return survey;
};
