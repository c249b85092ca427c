import type { FleetSite } from '../../reports/contract.ts';
import { moment } from './figures.ts';

/** A span of time in which the books may lack events that a site accepted. */
type Span = Pick<FleetSite['unknown'][number], 'since' | 'until' | 'reason'>;

/** The spans that touch the interval. */
export const unknownAt = (
  { unknown }: Pick<FleetSite, 'unknown'>,
  start: number,
  end: number,
): FleetSite['unknown'] =>
  unknown.filter(
    ({ since, until }) => start < Date.parse(until) && (since === null || Date.parse(since) < end),
  );

const reasonWords: Record<Span['reason'], string> = {
  'before-first-agent': 'no agent of the site had been heard from yet',
  'database-replaced': "the agent's database is new; what the old one had not sent is lost",
  'database-restored': "the agent's database is an older copy of itself",
  'agent-retired': 'the agent was retired while it may have held events',
};

export const unknownText = ({ since, until, reason }: Span): string =>
  `${since === null ? `before ${moment(until)}` : `${moment(since)} to ${moment(until)}`}: ${reasonWords[reason]}`;
