import type { FleetSite, Site, StockRow } from '../contract.ts';
import { mayHaveLost } from '../core/completeness.ts';
import { ageSeconds, isHeardFrom, type SiteView } from '../core/fleet.ts';
import type { FleetView } from '../fleet-view.ts';
import type { StockPosition } from '../io/stock-query.ts';
import { instantOrNull, instantText, quantityText } from './shape.ts';

/** Sites and their stock as the API returns them. */

const unknownMax = 20;

const waitingOf = (view: FleetView, site: SiteView) => {
  const isKnown = isHeardFrom(site);
  const said = { pending: site.pending, oldestUnrecordedAt: instantOrNull(site.oldestUnrecordedAt) };
  return {
    unknownSince: instantOrNull(site.unknownSince),
    pending: isKnown ? said.pending : null,
    oldestUnrecordedAt: isKnown ? said.oldestUnrecordedAt : null,
    lastSaid: site.heardAt === null ? null : said,
    drainSeconds: isKnown ? view.drainSecondsOf(site) : null,
  };
};

export const fleetSite = (view: FleetView, site: SiteView): FleetSite => ({
  site: site.name,
  state: site.state,
  sells: site.sells,
  completeTo: instantOrNull(site.completeTo),
  ageSeconds: site.completeTo === null ? null : ageSeconds(site.completeTo, view.at),
  heardAt: instantOrNull(site.heardAt),
  ...waitingOf(view, site),
  unknown: site.unknown.slice(0, unknownMax).map(({ id, since, until, reason }) => ({
    id: String(id),
    since: instantOrNull(since),
    until: instantText(until),
    reason,
  })),
  gaps: site.gaps,
  versions: site.versions,
  clockAheadMs: site.clockAheadMs,
  clockSuspect: site.clockSuspect,
});

export const siteEntry = ({ name, sells, calendar }: SiteView): Site => ({
  site: name,
  sells,
  timeZone: calendar.timeZone,
  openedOn: calendar.openedOn,
  closedOn: calendar.closedOn,
});

/** Stale: the site is silent, so its stock may have changed, or events of a lost database may be missing from it. */
export const isStockStale = (
  view: Pick<FleetView, 'at' | 'intervalMs'>,
  site: Pick<SiteView, 'stockKnownTo' | 'unknown'>,
): boolean =>
  site.stockKnownTo === null || view.at - site.stockKnownTo > 2 * view.intervalMs || mayHaveLost(site);

export const stockRow = (view: FleetView, position: StockPosition, site: SiteView): StockRow => ({
  site: site.name,
  location: position.location,
  item: position.item,
  onHand: quantityText(position.onHand),
  countedAt: instantOrNull(position.countedAt),
  countId: position.countId,
  countSuspect: position.countSuspect,
  changedAt: instantText(position.changedAt),
  negative: position.onHand < 0,
  knownTo: instantOrNull(site.stockKnownTo),
  stale: isStockStale(view, site),
});
