/// <reference lib="dom" />
import type { FleetSite } from '../../reports/contract.ts';
import type { Box } from '../cell-list.ts';
import { shortDuration } from '../model/figures.ts';
import { stateLetters } from '../model/fleet-order.ts';
import { colour, type Palette } from '../theme.ts';

/** What a cell shows depends on their number: name and age, only the age, or only the letter. */
export type CellSize = { width: number; height: number; shows: 'name' | 'age' | 'letter' };

export const cellSizeFor = (sites: number): CellSize => {
  if (sites <= 60) return { width: 136, height: 48, shows: 'name' };
  if (sites <= 400) return { width: 56, height: 36, shows: 'age' };
  return { width: 24, height: 24, shows: 'letter' };
};

const font = (weight: number, px: number): string =>
  `${weight} ${px}px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif`;

/** Besides colour and letter each state has its own outline: whole, one corner cut, all corners cut, hollow. */
const outline = (
  pen: CanvasRenderingContext2D,
  { x, y, width, height }: Box,
  state: FleetSite['state'],
): void => {
  pen.beginPath();
  if (state === 'late' || state === 'silent') {
    const cut = Math.min(7, height / 3);
    const all = state === 'silent' ? cut : 0;
    pen.moveTo(x + all, y);
    pen.lineTo(x + width - cut, y);
    pen.lineTo(x + width, y + cut);
    pen.lineTo(x + width, y + height - all);
    pen.lineTo(x + width - all, y + height);
    pen.lineTo(x + all, y + height);
    pen.lineTo(x, y + height - all);
    pen.lineTo(x, y + all);
    pen.closePath();
  } else pen.roundRect(x, y, width, height, 3);
};

export const drawSite = (
  pen: CanvasRenderingContext2D,
  place: Box,
  site: FleetSite,
  {
    size,
    palette,
    age,
    marked,
  }: { size: CellSize; palette: Palette; age: number | undefined; marked: boolean },
): void => {
  const inner = { x: place.x + 1.5, y: place.y + 1.5, width: place.width - 3, height: place.height - 3 };
  outline(pen, inner, site.state);
  pen.fillStyle = colour(palette, site.state);
  pen.fill();
  if (site.state === 'never') {
    pen.setLineDash([3, 2]);
    pen.strokeStyle = colour(palette, 'line-strong');
    pen.lineWidth = 1;
    pen.stroke();
    pen.setLineDash([]);
  }
  if (marked) {
    pen.strokeStyle = colour(palette, 'ink');
    pen.lineWidth = 2.5;
    pen.stroke();
  }
  const letter = stateLetters[site.state];
  const middle = inner.y + inner.height / 2;
  pen.fillStyle = colour(palette, `${site.state}-ink`);
  pen.textBaseline = 'middle';
  pen.textAlign = 'center';
  if (size.shows === 'letter') {
    pen.font = font(600, 11);
    pen.fillText(letter, inner.x + inner.width / 2, middle + 0.5);
  } else if (size.shows === 'age') {
    pen.font = font(600, 12);
    pen.fillText(
      `${letter} ${age === undefined ? '–' : shortDuration(age)}`,
      inner.x + inner.width / 2,
      middle + 0.5,
    );
  } else {
    pen.textAlign = 'left';
    pen.font = font(600, 13);
    pen.fillText(site.site, inner.x + 8, middle - 9, inner.width - 28);
    pen.font = font(400, 12);
    const waiting = site.pending !== null && site.pending > 0 ? `, ${site.pending} waiting` : '';
    pen.fillText(
      age === undefined ? 'no data' : `${shortDuration(age)}${waiting}`,
      inner.x + 8,
      middle + 10,
      inner.width - 16,
    );
    pen.textAlign = 'right';
    pen.font = font(700, 12);
    pen.fillText(letter, inner.x + inner.width - 8, middle - 9);
  }
  // A bar at the bottom: the books miss events of this site. In the middle, where every outline has room.
  if (site.gaps > 0) pen.fillRect(inner.x + inner.width / 2 - 5, inner.y + inner.height - 4, 10, 2);
};
