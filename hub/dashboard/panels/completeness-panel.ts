/// <reference lib="dom" />
import type { FleetSite } from '../../reports/contract.ts';
import { apiPath } from '../api.ts';
import { createCellList, type View } from '../cell-list.ts';
import { tableBehind } from '../data-table.ts';
import { box, element, input, select, setText } from '../dom.ts';
import { clock, clockSeconds, count, duration, moment, span, viewerZone } from '../model/figures.ts';
import { ageOf, sellingSites } from '../model/fleet-order.ts';
import {
  correctedCells,
  type HeatState,
  heatState,
  heatWords,
  intervalLength,
  lastStarts,
} from '../model/heat.ts';
import type { Page } from '../page.ts';
import { colour } from '../theme.ts';

/** Sites down, intervals across: which figure of the last hours lacks which branch? */
const columns = 60;
const rowHeight = 20;
const headHeight = 24;
const nameWidth = 120;
/** Until the first interval came; it is the hub's default. */
const usualIntervalMs = 300_000;

export const createCompletenessPanel = (page: Page, openSite: (site: string) => void) => {
  const { state, theme, hatch } = page;
  let rows: { site: FleetSite; completeTo: number | undefined }[] = [];
  let places = new Map<string, number>();
  let corrected: ReadonlySet<string> = new Set();
  let drawnCorrections: unknown;
  let intervalMs = usualIntervalMs;
  let starts: number[] = [];
  let cellWidth = 16;

  const stateAt = (row: number, column: number): HeatState => {
    const { site, completeTo } = rows[row] as (typeof rows)[number];
    return heatState(site, completeTo, starts[column] as number, { now: page.now(), intervalMs, corrected });
  };

  const words = (index: number): string => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const { site } = rows[row] as (typeof rows)[number];
    const start = starts[column] as number;
    const what = stateAt(row, column);
    const parts = [`${site.site}, ${span(start, start + intervalMs)}: ${heatWords[what]}`];
    if (what === 'missing') {
      parts.push(
        site.completeTo === null ? 'nothing known yet' : `known to ${clockSeconds(site.completeTo)}`,
        `${count(site.pending)} wait at the site`,
      );
      if (site.gaps > 0) parts.push(`${count(site.gaps)} missing in the books`);
    }
    return parts.join(', ');
  };

  const fillOf = (pen: CanvasRenderingContext2D, what: HeatState): string | CanvasPattern => {
    const palette = theme.palette();
    if (what === 'missing')
      return hatch(pen, colour(palette, 'heat-missing'), colour(palette, 'heat-hatch'), 5);
    if (what === 'running') return colour(palette, 'heat-running');
    if (what === 'quiet') return colour(palette, 'closed');
    return colour(palette, 'heat-complete');
  };

  /** Cells of one state side by side are one rectangle: most rows are a few, and a frame has time for all of them. */
  const drawRow = (pen: CanvasRenderingContext2D, row: number, y: number): void => {
    const dots: number[] = [];
    const drawnAs = (column: number): HeatState => {
      const what = stateAt(row, column);
      if (what === 'corrected') dots.push(column);
      return what === 'corrected' ? 'complete' : what;
    };
    let from = 0;
    let what = drawnAs(0);
    for (let column = 1; column <= columns; column++) {
      const next = column === columns ? undefined : drawnAs(column);
      if (next === what) continue;
      pen.fillStyle = fillOf(pen, what);
      pen.fillRect(nameWidth + from * cellWidth, y, (column - from) * cellWidth, rowHeight - 1);
      if (next === undefined) break;
      [from, what] = [column, next];
    }
    pen.fillStyle = colour(theme.palette(), 'heat-mark');
    for (const column of dots) {
      pen.beginPath();
      const radius = Math.min(4, cellWidth / 2 - 1);
      pen.arc(nameWidth + (column + 0.5) * cellWidth, y + rowHeight / 2, radius, 0, 2 * Math.PI);
      pen.fill();
    }
  };

  const drawFrame = (pen: CanvasRenderingContext2D, index: number | undefined, top: number): void => {
    if (index === undefined) return;
    pen.strokeStyle = colour(theme.palette(), 'ink');
    pen.lineWidth = 2;
    const y = headHeight + Math.floor(index / columns) * rowHeight - top;
    pen.strokeRect(nameWidth + (index % columns) * cellWidth, y, cellWidth - 1, rowHeight - 1);
  };

  const drawHead = (pen: CanvasRenderingContext2D, width: number): void => {
    const palette = theme.palette();
    pen.fillStyle = colour(palette, 'panel');
    pen.fillRect(0, 0, width, headHeight);
    pen.fillStyle = colour(palette, 'ink-soft');
    pen.font = '12px system-ui, "DejaVu Sans", sans-serif';
    pen.textAlign = 'left';
    const every = cellWidth * 6 >= 48 ? 6 : 12;
    for (const [column, start] of starts.entries())
      if ((columns - 1 - column) % every === 0 && column + every / 2 <= columns) {
        const x = nameWidth + column * cellWidth;
        pen.fillRect(x, headHeight - 6, 1, 6);
        pen.fillText(clock(start), x + 4, headHeight / 2 - 1);
      }
  };

  const draw = (pen: CanvasRenderingContext2D, view: View): void => {
    const palette = theme.palette();
    pen.fillStyle = colour(palette, 'panel');
    pen.fillRect(0, 0, view.width, view.height);
    const first = Math.floor(view.top / rowHeight);
    const end = Math.min(rows.length, Math.ceil((view.top + view.height - headHeight) / rowHeight));
    const yOf = (row: number): number => headHeight + row * rowHeight - view.top;
    for (let row = first; row < end; row++) drawRow(pen, row, yOf(row));
    pen.fillStyle = colour(palette, 'panel');
    for (let column = 1; column <= columns; column++)
      pen.fillRect(nameWidth + column * cellWidth - 1, headHeight, 1, view.height);
    pen.font = '12px system-ui, "DejaVu Sans", sans-serif';
    pen.textAlign = 'left';
    pen.textBaseline = 'middle';
    for (let row = first; row < end; row++) {
      const { site } = rows[row] as (typeof rows)[number];
      pen.fillStyle = colour(palette, site.state === 'silent' ? 'bad' : 'ink');
      pen.fillText(site.site, 0, yOf(row) + rowHeight / 2, nameWidth - 8);
    }
    drawFrame(pen, view.active, view.top);
    drawFrame(pen, view.hover, view.top);
    drawHead(pen, view.width);
  };

  const keyAt = (index: number): string | undefined => {
    const site = rows[Math.floor(index / columns)]?.site.site;
    return site === undefined ? undefined : `${site} ${starts[index % columns]}`;
  };
  const list = createCellList({
    label: 'Completeness by site and interval. Arrow keys move, Enter opens the site.',
    keyAt,
    indexOf: (key) => {
      const [site = '', start = ''] = key.split(' ');
      const row = places.get(site);
      const column = starts.indexOf(Number(start));
      return row === undefined ? undefined : row * columns + Math.max(0, column);
    },
    grid: () => ({ many: rows.length * columns, columns, rowsOnPage: 16 }),
    contentHeight: (width) => {
      cellWidth = Math.max(8, Math.floor((width - nameWidth - 2) / columns));
      return headHeight + rows.length * rowHeight;
    },
    heightMax: headHeight + 18 * rowHeight,
    headHeight,
    boxOf: (index) => ({
      x: nameWidth + (index % columns) * cellWidth,
      y: headHeight + Math.floor(index / columns) * rowHeight,
      width: cellWidth,
      height: rowHeight,
    }),
    cellAt: (x, y) => {
      const [row, column] = [
        Math.floor((y - headHeight) / rowHeight),
        Math.floor((x - nameWidth) / cellWidth),
      ];
      return row >= 0 && row < rows.length && column >= 0 && column < columns
        ? row * columns + column
        : undefined;
    },
    draw,
    describe: words,
    onLook: (index) => setText(box('heat-readout'), index === undefined ? ' ' : words(index)),
    onOpen: (index) => openSite((rows[Math.floor(index / columns)] as (typeof rows)[number]).site.site),
  });
  box('heat-map').append(list.root);

  for (const name of ['complete', 'missing', 'corrected', 'quiet', 'running'] as const)
    box('heat-legend').append(
      element(
        'li',
        {},
        element('span', { class: `swatch swatch-${name}`, 'aria-hidden': 'true' }),
        heatWords[name],
      ),
    );

  const missingIntervals = (row: number): number =>
    starts.filter((_, column) => stateAt(row, column) === 'missing').length;

  const behind = tableBehind<number>(
    box('heat-table'),
    'Completeness',
    [
      { head: 'Site', cell: (row) => rows[row]?.site.site ?? '' },
      {
        head: `Of the last ${columns} intervals not complete`,
        number: true,
        cell: (row) => count(missingIntervals(row)),
      },
      {
        head: 'Complete to',
        cell: (row) => {
          const at = rows[row]?.site.completeTo ?? null;
          return at === null ? '–' : moment(at);
        },
      },
      {
        head: 'Age',
        number: true,
        cell: (row) => {
          const age = ageOf((rows[row] as (typeof rows)[number]).site, page.now());
          return age === undefined ? '–' : duration(age);
        },
      },
      { head: 'Waiting at the site', number: true, cell: (row) => count(rows[row]?.site.pending ?? 0) },
      { head: 'Missing in the books', number: true, cell: (row) => count(rows[row]?.site.gaps ?? 0) },
    ],
    () => [...rows.keys()].sort((a, b) => missingIntervals(b) - missingIntervals(a)),
    () => apiPath('/fleet', { format: 'csv' }),
  );

  const render = (): void => {
    const filter = input('heat-filter').value.trim().toLowerCase();
    rows = sellingSites(state.sites.values(), filter, select('heat-order').value === 'oldest').map(
      (site) => ({
        site,
        completeTo: site.completeTo === null ? undefined : Date.parse(site.completeTo),
      }),
    );
    places = new Map(rows.map(({ site }, row) => [site.site, row]));
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
        : `The last ${columns} intervals of ${intervalMs / 60_000} min of ${count(rows.length)} selling sites, ${viewerZone} time.`,
    );
    list.redraw();
  };
  for (const id of ['heat-filter', 'heat-order']) box(id).addEventListener('input', render);
  box('heat-controls').addEventListener('submit', (event) => event.preventDefault());
  return { render, redraw: list.redraw, refreshTable: behind.refresh };
};
