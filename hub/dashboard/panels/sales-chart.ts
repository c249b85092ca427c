/// <reference lib="dom" />
import type { SalesInterval } from '../../reports/contract.ts';
import { element, setText } from '../dom.ts';
import type { Hatch } from '../hatch.ts';
import { count, inUnits } from '../model/figures.ts';
import { walk } from '../model/grid-walk.ts';
import { isComplete, withPauses } from '../model/sales-day.ts';
import type { Page } from '../page.ts';
import { colour, type Palette } from '../theme.ts';
import uPlot from '../vendor/uplot.js';

/** Bars: solid where complete, hatched where not. The dashed line over them is the figure first reported. */
type Options = {
  host: HTMLElement;
  describe(one: SalesInterval): string;
  onInspect(one: SalesInterval | undefined): void;
};
type Slot = ReturnType<typeof withPauses>[number];

const height = 260;

type Drawing = {
  palette: Palette;
  hatch: Hatch;
  slots: readonly Slot[];
  currency: string;
  active: number | undefined;
};

const drawBars = (chart: uPlot, { palette, hatch, slots, currency, active }: Drawing): void => {
  const pen = chart.ctx;
  const zero = chart.valToPos(0, 'y', true);
  const gap = slots.length > 200 ? 0 : 2;
  pen.save();
  pen.beginPath();
  pen.rect(chart.bbox.left, chart.bbox.top, chart.bbox.width, chart.bbox.height);
  pen.clip();
  for (const [index, { start, end, sold }] of slots.entries()) {
    if (sold === undefined) continue;
    const left = Math.round(chart.valToPos(start / 1_000, 'x', true));
    const right = Math.round(chart.valToPos(end / 1_000, 'x', true));
    const top = chart.valToPos(inUnits(sold.gross, currency), 'y', true);
    const bar = [left, Math.min(top, zero), Math.max(1, right - left - gap), Math.abs(zero - top)] as const;
    pen.fillStyle = isComplete(sold)
      ? colour(palette, 'sales')
      : hatch(pen, colour(palette, 'panel'), colour(palette, 'sales-hatch'), 7);
    pen.fillRect(...bar);
    if (index === active) {
      pen.strokeStyle = colour(palette, 'ink');
      pen.lineWidth = 2 * devicePixelRatio;
      pen.strokeRect(...bar);
    }
  }
  pen.restore();
};

/** The figure first reported: a step over each interval, joined to the one before it if that had sales too. */
const drawFirstReported = (chart: uPlot, { palette, slots, currency }: Drawing): void => {
  const pen = chart.ctx;
  pen.save();
  pen.beginPath();
  let joined = false;
  for (const { start, end, sold } of slots) {
    const isKnown = sold !== undefined && (sold.transactions > 0 || sold.onTime.transactions > 0);
    if (isKnown) {
      const y = chart.valToPos(inUnits(sold.onTime.gross, currency), 'y', true);
      const left = chart.valToPos(start / 1_000, 'x', true);
      if (joined) pen.lineTo(left, y);
      else pen.moveTo(left, y);
      pen.lineTo(chart.valToPos(end / 1_000, 'x', true), y);
    }
    joined = isKnown;
  }
  pen.strokeStyle = colour(palette, 'ghost');
  pen.lineWidth = 2 * devicePixelRatio;
  pen.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  pen.stroke();
  pen.restore();
};

export const createSalesChart = ({ theme, hatch }: Page, { host, describe, onInspect }: Options) => {
  let slots: Slot[] = [];
  let currency = 'EUR';
  let active: number | undefined;
  let plot: uPlot | undefined;
  let drawnTheme = '';

  const option = element('div', {
    text: 'no interval selected',
    id: 'sales-option',
    role: 'option',
    class: 'unseen',
    'aria-selected': 'false',
  });
  const place = element('div', { class: 'chart-place' });
  const words = element('p', { class: 'empty', text: 'Loading …' });
  const root = element(
    'div',
    { class: 'chart', role: 'listbox', tabindex: 0, 'aria-activedescendant': 'sales-option' },
    option,
    place,
  );
  root.setAttribute('aria-label', 'Sales by interval. Arrow keys move from interval to interval.');
  root.hidden = true;
  host.append(root, words);

  const drawing = (): Drawing => ({ palette: theme.palette(), hatch, slots, currency, active });

  const axis = (): uPlot.Axis => ({
    stroke: colour(theme.palette(), 'ink-soft'),
    font: '12px system-ui, "DejaVu Sans", sans-serif',
    grid: { stroke: colour(theme.palette(), 'line'), width: 1 },
    ticks: { stroke: colour(theme.palette(), 'line'), width: 1 },
  });

  const options = (): uPlot.Options => ({
    width: Math.max(320, root.clientWidth),
    height,
    legend: { show: false },
    padding: [8, 24, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      // Room for the width of the last interval.
      x: { range: (_, from, to) => [from, to + ((slots[0]?.end ?? 0) - (slots[0]?.start ?? 0)) / 1_000] },
      y: { range: (_, low, high) => [Math.min(0, low), Math.max(1, high * 1.08)] },
    },
    axes: [
      { ...axis(), space: 64, size: 32, values: '{HH}:{mm}' },
      { ...axis(), size: 72, values: (_, ticks) => ticks.map((tick) => count(tick)) },
    ],
    series: [
      {},
      { label: 'gross', paths: () => null, points: { show: false } },
      { label: 'first reported', paths: () => null, points: { show: false } },
    ],
    hooks: {
      // Drawn over the grid.
      drawAxes: [(chart) => drawBars(chart, drawing()), (chart) => drawFirstReported(chart, drawing())],
      setCursor: [
        (chart) => {
          const left = chart.cursor.left ?? -1;
          if (left < 0) return inspect(active);
          const at = chart.posToVal(left, 'x') * 1_000;
          inspect(slots.findIndex(({ start, end }) => start <= at && at < end));
        },
      ],
    },
  });

  const inspect = (index: number | undefined): void =>
    onInspect(index === undefined ? undefined : slots[index]?.sold);

  const data = (): uPlot.AlignedData => [
    slots.map(({ start }) => start / 1_000),
    slots.map(({ sold }) => (sold === undefined ? null : inUnits(sold.gross, currency))),
    slots.map(({ sold }) => (sold === undefined ? null : inUnits(sold.onTime.gross, currency))),
  ];

  const redraw = (): void => {
    if (slots.length === 0) return;
    const wantedTheme = colour(theme.palette(), 'ink');
    if (plot === undefined || wantedTheme !== drawnTheme) {
      plot?.destroy();
      drawnTheme = wantedTheme;
      plot = new uPlot(options(), data(), place);
    } else plot.setData(data());
  };

  const activate = (index: number): void => {
    active = index;
    const slot = slots[index] as Slot;
    option.setAttribute('aria-selected', 'true');
    option.setAttribute('aria-setsize', String(slots.length));
    option.setAttribute('aria-posinset', String(index + 1));
    setText(option, slot.sold === undefined ? 'nothing sold' : describe(slot.sold));
    inspect(index);
    plot?.redraw(false);
  };
  root.addEventListener('keydown', (event) => {
    const grid = { many: slots.length, columns: slots.length, rowsOnPage: 1 };
    const to = walk(event.key, active ?? slots.length - 1, grid);
    if (to === undefined || /^Page|Up$|Down$/.test(event.key)) return;
    event.preventDefault();
    activate(to);
  });
  root.addEventListener('focus', () => activate(Math.min(active ?? slots.length - 1, slots.length - 1)));
  root.addEventListener('blur', () => {
    active = undefined;
    inspect(undefined);
    plot?.redraw(false);
  });
  new ResizeObserver(() => plot?.setSize({ width: Math.max(320, root.clientWidth), height })).observe(root);

  return {
    redraw,
    /** `range` is the requested range; of it, `intervals` had sales in the currency. */
    show: (intervals: readonly SalesInterval[], range: readonly SalesInterval[], of: string): void => {
      slots = withPauses(intervals, range);
      currency = of;
      root.hidden = slots.length === 0;
      words.hidden = slots.length > 0;
      if (slots.length === 0) setText(words, 'Nothing sold yet today.');
      else redraw();
    },
    problem: (text: string | undefined): void => {
      if (text === undefined) return;
      words.hidden = false;
      setText(words, text);
    },
  };
};
