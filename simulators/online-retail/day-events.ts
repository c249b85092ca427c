import { fnv1a } from '@branchline/contracts/ids.ts';
import type { DayClosedEvent, MovementEvent, TransactionEvent } from '@branchline/contracts/parse.ts';
import { posTypes } from '@branchline/contracts/pos.ts';
import { seededRandom } from '@branchline/kernel/random.ts';
import { type DayTally, tallyDay } from '../day-tally.ts';
import { newTraceparent } from '../trace.ts';
import type { Invoice } from './invoice.ts';
import { eventOf } from './mapping.ts';

/**
 * One file's invoices as events, in order, and after them one day-end report of each till that sold. The invented tills
 * add up their own transactions for it. Everything comes from the files alone, so that a second reading makes the same bytes.
 */
export type DayEvent = TransactionEvent | MovementEvent | DayClosedEvent;

export const atOf = (event: DayEvent): number => Date.parse(event.time);

const isTransaction = (event: DayEvent): event is TransactionEvent => event.type === posTypes.completed;

const traced = <E extends DayEvent>(event: E): E => ({
  ...event,
  traceparent: newTraceparent(seededRandom(fnv1a(`${event.source}/${event.id}`))),
});

/** Throws DataSetError if a date does not exist. The events of the invoices come first, in their order. */
export const createDayEvents = (sites: number, dayReports: boolean) => {
  const tallies = new Map<string, DayTally>();

  const tallyOf = ({ data }: TransactionEvent): DayTally => {
    const { workstationId, businessDay, currency } = data;
    const site = data.site.storeId;
    const key = `${site}/${workstationId}/${businessDay}`;
    const tally = tallies.get(key) ?? tallyDay({ site, workstationId, businessDay, currency });
    tallies.set(key, tally);
    return tally;
  };

  return (invoices: readonly Invoice[]): DayEvent[] => {
    const events: DayEvent[] = invoices.map((invoice) => eventOf(invoice, sites));
    if (!dayReports) return events.map(traced);
    // A site closes with its last event, so that its events stay in time order.
    const closing = new Map<string, { at: number; text: string; tallies: Set<DayTally> }>();
    for (const event of events) {
      const site = event.data.site.storeId;
      const close = closing.get(site) ?? { at: 0, text: '', tallies: new Set() };
      closing.set(site, close);
      if (atOf(event) >= close.at) Object.assign(close, { at: atOf(event), text: event.time });
      if (!isTransaction(event)) continue;
      const tally = tallyOf(event);
      tally.add(event);
      close.tallies.add(tally);
    }
    for (const { text, tallies: ofSite } of closing.values())
      for (const tally of ofSite) events.push(tally.report(text) as DayClosedEvent);
    return events.map(traced);
  };
};
