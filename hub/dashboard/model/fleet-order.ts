import type { FleetSite } from '../../reports/contract.ts';

export type SiteState = FleetSite['state'];
export type FleetView = { text: string; state: SiteState | ''; order: 'worst' | 'name' };

export const stateWords: Record<SiteState, string> = {
  online: 'online',
  late: 'late',
  silent: 'silent',
  closed: 'closed',
  never: 'never heard',
};

/** Shows the state without colour. */
export const stateLetters: Record<SiteState, string> = {
  online: 'O',
  late: 'L',
  silent: 'S',
  closed: 'C',
  never: 'N',
};

/** What needs attention comes first. */
const urgency: Record<SiteState, number> = { silent: 0, late: 1, never: 2, online: 3, closed: 4 };

const byName = (a: FleetSite, b: FleetSite): number => (a.site < b.site ? -1 : a.site > b.site ? 1 : 0);

/** RFC 3339 in UTC sorts as text. A site without data comes before one with old data. */
const byAge = (a: FleetSite, b: FleetSite): number => {
  const [one, other] = [a.completeTo ?? '', b.completeTo ?? ''];
  return one < other ? -1 : one > other ? 1 : 0;
};

/**
 * Ages of online sites change by a second or two all the time; sorting by them would make cells jump under the pointer.
 * Age counts only for late and silent sites.
 */
const byWorst = (a: FleetSite, b: FleetSite): number =>
  urgency[a.state] - urgency[b.state] ||
  (a.state === 'silent' || a.state === 'late' ? byAge(a, b) : 0) ||
  Math.sign(b.gaps) - Math.sign(a.gaps) ||
  byName(a, b);

export const shownSites = (sites: Iterable<FleetSite>, view: FleetView): FleetSite[] => {
  const text = view.text.trim().toLowerCase();
  return [...sites]
    .filter((site) => (view.state === '' || site.state === view.state) && site.site.includes(text))
    .sort(view.order === 'name' ? byName : byWorst);
};

/** The selling sites, by name or with the oldest data first. */
export const sellingSites = (sites: Iterable<FleetSite>, text: string, oldestFirst: boolean): FleetSite[] =>
  [...sites]
    .filter((site) => site.sells && site.site.includes(text))
    .sort(
      oldestFirst ? (a, b) => isBehind(b) - isBehind(a) || isBehind(a) * byAge(a, b) || byName(a, b) : byName,
    );

/** 1 for a site whose age matters; the order of the others would change with every message. */
const isBehind = ({ state }: FleetSite): number => (state === 'online' || state === 'closed' ? 0 : 1);

/** Age of the site's newest data in seconds at `now` ms; undefined without data. */
export const ageOf = (site: Pick<FleetSite, 'completeTo'>, now: number): number | undefined =>
  site.completeTo === null ? undefined : Math.max(0, (now - Date.parse(site.completeTo)) / 1_000);
