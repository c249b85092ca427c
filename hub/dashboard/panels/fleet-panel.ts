/// <reference lib="dom" />
import type { FleetSite } from '../../reports/contract.ts';
import { apiPath } from '../api.ts';
import { createCellList, type View } from '../cell-list.ts';
import { type Column, tableBehind } from '../data-table.ts';
import { box, element, input, select, setText } from '../dom.ts';
import { count, duration, moment } from '../model/figures.ts';
import {
  ageOf,
  type FleetView,
  type SiteState,
  shownSites,
  stateLetters,
  stateWords,
} from '../model/fleet-order.ts';
import { unknownText } from '../model/unknown.ts';
import { waitingText } from '../model/waiting-text.ts';
import type { Page } from '../page.ts';
import { colour } from '../theme.ts';
import { type CellSize, cellSizeFor, drawSite } from './site-cell.ts';

const describeSite = (site: FleetSite, now: number): string => {
  const age = ageOf(site, now);
  const texts = [
    `${site.site}, ${stateWords[site.state]}`,
    age === undefined ? 'no data yet' : `newest data ${duration(age)} old`,
  ];
  if (site.pending !== 0) texts.push(`waiting: ${waitingText(site)}`);
  if (site.gaps > 0) texts.push(`${count(site.gaps)} missing in the books`);
  const lost = site.unknown.find(({ reason }) => reason !== 'before-first-agent');
  if (lost !== undefined) texts.push(unknownText(lost));
  if (site.clockSuspect) texts.push('clock is off');
  return texts.join(', ');
};

const tableColumns: readonly Column<FleetSite>[] = [
  { head: 'Site', cell: (site) => site.site },
  { head: 'State', cell: (site) => stateWords[site.state] },
  { head: 'Complete to', cell: (site) => (site.completeTo === null ? '–' : moment(site.completeTo)) },
  { head: 'Waiting', number: true, cell: (site) => waitingText(site) },
  { head: 'Missing', number: true, cell: (site) => count(site.gaps) },
  { head: 'Versions', cell: (site) => site.versions.join(', ') },
];

/** Returns where the number of sites in each state goes. */
const drawLegend = (): Map<SiteState, HTMLElement> => {
  const counts = new Map<SiteState, HTMLElement>();
  for (const [name, word] of Object.entries(stateWords) as [SiteState, string][]) {
    const many = element('b', { text: '–' });
    counts.set(name, many);
    const mark = element('span', {
      class: 'mark',
      'data-state': name,
      'aria-hidden': 'true',
      text: stateLetters[name],
    });
    box('fleet-legend').append(element('li', {}, mark, many, ` ${word}`));
  }
  return counts;
};

/** One cell per site, the worst first: which branch needs attention, and how old is its newest data? */
export const createFleetPanel = ({ state, theme, now }: Page, openSite: (site: string) => void) => {
  let shown: FleetSite[] = [];
  let places = new Map<string, number>();
  let size: CellSize = cellSizeFor(0);
  let columns = 1;

  const view = (): FleetView => ({
    text: input('fleet-filter').value,
    state: select('fleet-state').value as FleetView['state'],
    order: select('fleet-order').value as FleetView['order'],
  });

  const words = (index: number): string => describeSite(shown[index] as FleetSite, now());

  const boxOf = (index: number) => ({
    x: (index % columns) * size.width,
    y: Math.floor(index / columns) * size.height,
    width: size.width,
    height: size.height,
  });

  const draw = (pen: CanvasRenderingContext2D, seen: View): void => {
    const palette = theme.palette();
    pen.fillStyle = colour(palette, 'panel');
    pen.fillRect(0, 0, seen.width + 1, seen.height + 1);
    const first = Math.floor(seen.top / size.height) * columns;
    const end = Math.min(shown.length, (Math.floor((seen.top + seen.height) / size.height) + 1) * columns);
    for (let index = first; index < end; index++) {
      const site = shown[index] as FleetSite;
      const place = boxOf(index);
      drawSite(pen, { ...place, y: place.y - seen.top }, site, {
        size,
        palette,
        age: ageOf(site, now()),
        marked: index === seen.active || index === seen.hover,
      });
    }
  };

  const tip = box('tip');
  const list = createCellList({
    label: 'Sites. Arrow keys move, Enter opens a site.',
    keyAt: (index) => shown[index]?.site,
    indexOf: (key) => places.get(key),
    grid: () => ({ many: shown.length, columns, rowsOnPage: Math.floor(320 / size.height) }),
    contentHeight: (width) => {
      columns = Math.max(1, Math.floor(width / size.width));
      return Math.ceil(shown.length / columns) * size.height;
    },
    heightMax: 320,
    headHeight: 0,
    boxOf,
    cellAt: (x, y) => {
      const column = Math.floor(x / size.width);
      const index = Math.floor(y / size.height) * columns + column;
      return column < columns && index < shown.length ? index : undefined;
    },
    draw,
    describe: words,
    onInspect: (index) => {
      tip.hidden = index === undefined;
      if (index === undefined) return;
      const frame = list.root.getBoundingClientRect();
      const place = boxOf(index);
      setText(tip, words(index));
      tip.style.left = `${Math.min(frame.left + place.x, window.innerWidth - tip.offsetWidth - 8)}px`;
      tip.style.top = `${frame.top + place.y - list.root.scrollTop + place.height + 4}px`;
    },
    onOpen: (index) => openSite((shown[index] as FleetSite).site),
  });
  box('fleet-grid').append(list.root);

  const behind = tableBehind<FleetSite>(
    box('fleet-table'),
    'Fleet',
    tableColumns,
    () => shown,
    () => apiPath('/fleet', { state: view().state, format: 'csv' }),
  );

  const legendCounts = drawLegend();

  const render = (): void => {
    shown = shownSites(state.sites.values(), view());
    places = new Map(shown.map((site, index) => [site.site, index]));
    size = cellSizeFor(shown.length);
    const counts = Map.groupBy(state.sites.values(), (site) => site.state);
    for (const [name, target] of legendCounts) setText(target, count(counts.get(name)?.length ?? 0));
    const all = state.sites.size;
    setText(
      box('fleet-shown'),
      all === 0
        ? 'No site yet'
        : shown.length === all
          ? `${count(all)} sites`
          : `${count(shown.length)} of ${count(all)} sites`,
    );
    list.redraw();
  };
  for (const id of ['fleet-filter', 'fleet-state', 'fleet-order']) box(id).addEventListener('input', render);
  return { render, redraw: list.redraw, refreshTable: behind.refresh, focus: list.focus };
};
