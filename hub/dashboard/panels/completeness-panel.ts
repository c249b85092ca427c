/// <reference lib="dom" />
import type { FleetSite } from '../../reports/contract.ts';
import { apiPath } from '../api.ts';
import { type Column, tableBehind } from '../data-table.ts';
import { box, element, input, select, setText } from '../dom.ts';
import { clockSeconds, count, duration, moment, span, viewerZone } from '../model/figures.ts';
import { ageOf, sellingSites } from '../model/fleet-order.ts';
import {
  correctedCells,
  type HeatState,
  heatState,
  heatWords,
  intervalLength,
  lastStarts,
} from '../model/heat.ts';
import { unknownAt, unknownText } from '../model/unknown.ts';
import { waitingText } from '../model/waiting-text.ts';
import type { Page } from '../page.ts';
import { columns, createHeatMap, type HeatRow } from './heat-map.ts';

/** Which branches may still add to the figures of the last hours? */

/** The hub's default, until the first interval arrives. */
const usualIntervalMs = 300_000;

const drawLegend = (): void => {
  for (const name of ['complete', 'missing', 'unknown', 'corrected', 'quiet', 'running'] as const)
    box('heat-legend').append(
      element(
        'li',
        {},
        element('span', { class: `swatch swatch-${name}`, 'aria-hidden': 'true' }),
        heatWords[name],
      ),
    );
};

const tableColumns = (now: () => number): Column<HeatRow & { missing: number; unknown: number }>[] => [
  { head: 'Site', cell: ({ site }) => site.site },
  {
    head: `Incomplete of the last ${columns} intervals`,
    number: true,
    cell: ({ missing }) => count(missing),
  },
  { head: 'Of these unknown', number: true, cell: ({ unknown }) => count(unknown) },
  { head: 'Complete to', cell: ({ site }) => (site.completeTo === null ? '–' : moment(site.completeTo)) },
  {
    head: 'Age',
    number: true,
    cell: ({ site }) => {
      const age = ageOf(site, now());
      return age === undefined ? '–' : duration(age);
    },
  },
  { head: 'Waiting at the site', number: true, cell: ({ site }) => waitingText(site) },
  { head: 'Missing in the books', number: true, cell: ({ site }) => count(site.gaps) },
];

const heatTable = (
  now: () => number,
  drawn: () => readonly { row: HeatRow; states: readonly HeatState[] }[],
) => {
  const countOf = (states: readonly HeatState[], wanted: HeatState): number =>
    states.filter((state) => state === wanted).length;
  return tableBehind(
    box('heat-table'),
    'Completeness',
    tableColumns(now),
    () =>
      drawn()
        .map(({ row, states }) => ({
          ...row,
          missing: countOf(states, 'missing'),
          unknown: countOf(states, 'unknown'),
        }))
        .sort((a, b) => b.missing - a.missing),
    () => apiPath('/fleet', { format: 'csv' }),
  );
};

/** Why an interval of the site is incomplete. */
const reasonsOf = (site: FleetSite): string[] => [
  site.completeTo === null ? 'no data yet' : `complete to ${clockSeconds(site.completeTo)}`,
  `waiting at the site: ${waitingText(site)}`,
  ...(site.gaps > 0 ? [`${count(site.gaps)} missing in the books`] : []),
];

export const createCompletenessPanel = (page: Page, openSite: (site: string) => void) => {
  const { state } = page;
  let rows: HeatRow[] = [];
  let rowOf = new Map<string, number>();
  let corrected: ReadonlySet<string> = new Set();
  let drawnCorrections: unknown;
  let intervalMs = usualIntervalMs;
  let starts: number[] = [];

  const stateAt = (row: number, column: number): HeatState => {
    const { site, completeTo } = rows[row] as HeatRow;
    return heatState(site, completeTo, starts[column] as number, { now: page.now(), intervalMs, corrected });
  };

  const describe = (row: number, column: number): string => {
    const { site } = rows[row] as HeatRow;
    const start = starts[column] as number;
    const what = stateAt(row, column);
    const reasons =
      what === 'missing'
        ? reasonsOf(site)
        : unknownAt(site, start, start + intervalMs).map((one) => unknownText(one));
    return [`${site.site}, ${span(start, start + intervalMs)}: ${heatWords[what]}`, ...reasons].join(', ');
  };

  const map = createHeatMap(page, {
    rows: () => rows,
    starts: () => starts,
    rowOf: (site) => rowOf.get(site),
    stateAt,
    describe,
    onInspect: (text) => setText(box('heat-readout'), text ?? ' '),
    onOpen: openSite,
  });
  box('heat-map').append(map.root);
  drawLegend();

  const behind = heatTable(page.now, () =>
    rows.map((row, index) => ({ row, states: starts.map((_, column) => stateAt(index, column)) })),
  );

  const render = (): void => {
    const filter = input('heat-filter').value.trim().toLowerCase();
    const sites = sellingSites(state.sites.values(), filter, select('heat-order').value === 'oldest');
    rows = sites.map((site) => ({
      site,
      completeTo: site.completeTo === null ? undefined : Date.parse(site.completeTo),
    }));
    rowOf = new Map(rows.map(({ site }, row) => [site.site, row]));
    intervalMs = intervalLength(state.intervals.values(), intervalMs);
    starts = lastStarts(page.now(), intervalMs, columns);
    if (drawnCorrections !== state.corrections) {
      drawnCorrections = state.corrections;
      corrected = correctedCells(state.corrections);
    }
    setText(
      box('heat-note'),
      rows.length === 0
        ? 'No site has sold anything yet.'
        : `${count(rows.length)} selling sites, last ${columns} intervals of ${intervalMs / 60_000} min, ${viewerZone} time`,
    );
    map.redraw();
  };
  for (const id of ['heat-filter', 'heat-order']) box(id).addEventListener('input', render);
  return { render, redraw: map.redraw, refreshTable: behind.refresh };
};
