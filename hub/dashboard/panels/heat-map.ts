/// <reference lib="dom" />
import type { FleetSite } from '../../reports/contract.ts';
import { type CellList, createCellList, type View } from '../cell-list.ts';
import { clock } from '../model/figures.ts';
import type { HeatState } from '../model/heat.ts';
import type { Page } from '../page.ts';
import { colour, type Palette } from '../theme.ts';

/** The map on a canvas: sites down, intervals across, hatched where a site may still add to an interval. */
export const columns = 60;
const rowHeight = 20;
const rowsShown = 18;
const headHeight = 24;
const nameWidth = 120;
const font = '12px system-ui, "DejaVu Sans", sans-serif';

export type HeatRow = { site: FleetSite; completeTo: number | undefined };

export type Heat = {
  rows(): readonly HeatRow[];
  /** Starts of the intervals in ms, one per column. */
  starts(): readonly number[];
  rowOf(site: string): number | undefined;
  stateAt(row: number, column: number): HeatState;
  describe(row: number, column: number): string;
  onInspect(text: string | undefined): void;
  onOpen(site: string): void;
};

type Drawing = { pen: CanvasRenderingContext2D; palette: Palette; hatch: Page['hatch']; cellWidth: number };

const fillOf = ({ pen, palette, hatch }: Drawing, state: HeatState): string | CanvasPattern => {
  if (state === 'missing')
    return hatch(pen, colour(palette, 'heat-missing'), colour(palette, 'heat-hatch'), 5);
  if (state === 'unknown') return hatch(pen, colour(palette, 'panel'), colour(palette, 'line-strong'), 10);
  if (state === 'running') return colour(palette, 'heat-running');
  if (state === 'quiet') return colour(palette, 'closed');
  return colour(palette, 'heat-complete');
};

/** Adjacent cells of one state are one rectangle: most rows need only a few, and a frame has time for all of them. */
const drawRow = (drawing: Drawing, states: readonly HeatState[], y: number): void => {
  const { pen, palette, cellWidth } = drawing;
  const asDrawn = (state: HeatState | undefined) => (state === 'corrected' ? 'complete' : state);
  let from = 0;
  for (let column = 1; column <= columns; column++) {
    const state = asDrawn(states[from]) as HeatState;
    if (asDrawn(states[column]) === state) continue;
    pen.fillStyle = fillOf(drawing, state);
    pen.fillRect(nameWidth + from * cellWidth, y, (column - from) * cellWidth, rowHeight - 1);
    from = column;
  }
  pen.fillStyle = colour(palette, 'heat-mark');
  const radius = Math.min(4, cellWidth / 2 - 1);
  for (const [column, state] of states.entries()) {
    if (state !== 'corrected') continue;
    pen.beginPath();
    pen.arc(nameWidth + (column + 0.5) * cellWidth, y + rowHeight / 2, radius, 0, 2 * Math.PI);
    pen.fill();
  }
};

const drawName = ({ pen, palette }: Drawing, { state, site }: FleetSite, y: number): void => {
  pen.fillStyle = colour(palette, state === 'silent' ? 'bad' : 'ink');
  pen.fillText(site, 0, y + rowHeight / 2, nameWidth - 8);
};

const drawFrame = ({ pen, palette, cellWidth }: Drawing, index: number | undefined, top: number): void => {
  if (index === undefined) return;
  pen.strokeStyle = colour(palette, 'ink');
  pen.lineWidth = 2;
  const y = headHeight + Math.floor(index / columns) * rowHeight - top;
  pen.strokeRect(nameWidth + (index % columns) * cellWidth, y, cellWidth - 1, rowHeight - 1);
};

const drawHead = ({ pen, palette, cellWidth }: Drawing, starts: readonly number[], width: number): void => {
  pen.fillStyle = colour(palette, 'panel');
  pen.fillRect(0, 0, width + 1, headHeight);
  pen.fillStyle = colour(palette, 'ink-soft');
  const every = cellWidth * 6 >= 48 ? 6 : 12;
  for (const [column, start] of starts.entries())
    if ((columns - 1 - column) % every === 0 && column + every / 2 <= columns) {
      const x = nameWidth + column * cellWidth;
      pen.fillRect(x, headHeight - 6, 1, 6);
      pen.fillText(clock(start), x + 4, headHeight / 2 - 1);
    }
};

const drawMap = (drawing: Drawing, heat: Heat, view: View): void => {
  const { pen, palette, cellWidth } = drawing;
  const rows = heat.rows();
  const first = Math.floor(view.top / rowHeight);
  const end = Math.min(rows.length, Math.ceil((view.top + view.height - headHeight) / rowHeight));
  const yOf = (row: number): number => headHeight + row * rowHeight - view.top;
  pen.fillStyle = colour(palette, 'panel');
  pen.fillRect(0, 0, view.width + 1, view.height + 1);
  for (let row = first; row < end; row++) {
    const states = Array.from({ length: columns }, (_, column) => heat.stateAt(row, column));
    drawRow(drawing, states, yOf(row));
  }
  pen.fillStyle = colour(palette, 'panel');
  for (let column = 1; column <= columns; column++)
    pen.fillRect(nameWidth + column * cellWidth - 1, headHeight, 1, view.height);
  pen.font = font;
  pen.textAlign = 'left';
  pen.textBaseline = 'middle';
  for (let row = first; row < end; row++) drawName(drawing, (rows[row] as HeatRow).site, yOf(row));
  drawFrame(drawing, view.active, view.top);
  drawFrame(drawing, view.hover, view.top);
  drawHead(drawing, heat.starts(), view.width);
};

export const createHeatMap = ({ theme, hatch }: Page, heat: Heat): CellList => {
  let cellWidth = 16;
  const placeOf = (index: number): [row: number, column: number] => [
    Math.floor(index / columns),
    index % columns,
  ];
  const describe = (index: number): string => heat.describe(...placeOf(index));
  const siteAt = (index: number): string | undefined => heat.rows()[placeOf(index)[0]]?.site.site;
  return createCellList({
    label: 'Completeness by site and interval. Arrow keys move, Enter opens the site.',
    keyAt: (index) => {
      const site = siteAt(index);
      return site === undefined ? undefined : `${site} ${heat.starts()[index % columns]}`;
    },
    indexOf: (key) => {
      const [site = '', start = ''] = key.split(' ');
      const row = heat.rowOf(site);
      // An interval that has left the map at its left edge.
      const column = Math.max(0, heat.starts().indexOf(Number(start)));
      return row === undefined ? undefined : row * columns + column;
    },
    grid: () => ({ many: heat.rows().length * columns, columns, rowsOnPage: rowsShown - 2 }),
    contentHeight: (width) => {
      cellWidth = Math.max(8, Math.floor((width - nameWidth - 2) / columns));
      return headHeight + heat.rows().length * rowHeight;
    },
    heightMax: headHeight + rowsShown * rowHeight,
    headHeight,
    boxOf: (index) => {
      const [row, column] = placeOf(index);
      const [x, y] = [nameWidth + column * cellWidth, headHeight + row * rowHeight];
      return { x, y, width: cellWidth, height: rowHeight };
    },
    cellAt: (x, y) => {
      const row = Math.floor((y - headHeight) / rowHeight);
      const column = Math.floor((x - nameWidth) / cellWidth);
      const isCell = row >= 0 && row < heat.rows().length && column >= 0 && column < columns;
      return isCell ? row * columns + column : undefined;
    },
    draw: (pen, view) => drawMap({ pen, palette: theme.palette(), hatch, cellWidth }, heat, view),
    describe,
    onInspect: (index) => heat.onInspect(index === undefined ? undefined : describe(index)),
    onOpen: (index) => heat.onOpen(siteAt(index) as string),
  });
};
