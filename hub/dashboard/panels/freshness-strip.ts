/// <reference lib="dom" />
import { box, need, setText } from '../dom.ts';
import { duration } from '../model/figures.ts';
import { freshnessOf } from '../model/freshness.ts';
import type { Page } from '../page.ts';
import { colour } from '../theme.ts';

/** All ages side by side, sorted: a flat line is a healthy fleet, a cliff at the right a few branches in the dark. */
const height = 72;
/** On a logarithmic scale seconds and days are both readable. */
const scaled = (age: number): number => Math.log10(1 + age);
const marks = [
  { label: '10 s', age: 10 },
  { label: '5 min', age: 300 },
  { label: '1 h', age: 3_600 },
  { label: '1 d', age: 86_400 },
];

export const createFreshnessStrip = ({ state, theme, now }: Page) => {
  const canvas = need('freshness-strip', HTMLCanvasElement);
  const pen = canvas.getContext('2d') as CanvasRenderingContext2D;
  const render = (): void => {
    const fresh = freshnessOf(state.sites.values(), now());
    setText(
      box('freshness-text'),
      fresh === undefined
        ? 'No site has sent anything yet.'
        : `median ${duration(fresh.p50)} · 95th percentile ${duration(fresh.p95)} · oldest ${duration(fresh.max)}`,
    );
    const ratio = window.devicePixelRatio;
    const width = canvas.clientWidth;
    if (width === 0) return;
    if (canvas.width !== Math.round(width * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    if (fresh === undefined) return;
    const palette = theme.palette();
    const top = scaled(Math.max(fresh.max * 1.3, 60));
    const yOf = (age: number): number => height - 2 - (scaled(age) / top) * (height - 10);
    pen.font = '11px system-ui, "DejaVu Sans", sans-serif';
    pen.textBaseline = 'middle';
    for (const { label, age } of marks.filter((mark) => scaled(mark.age) < top)) {
      pen.fillStyle = colour(palette, 'line');
      pen.fillRect(40, Math.round(yOf(age)), width - 40, 1);
      pen.fillStyle = colour(palette, 'ink-soft');
      pen.fillText(label, 0, yOf(age));
    }
    // At most one bar per two pixels; a bar for several sites is as high as the oldest of them.
    const { ages } = fresh;
    const room = width - 40;
    const bars = Math.min(ages.length, Math.floor(room / 2));
    const step = room / bars;
    pen.fillStyle = colour(palette, 'online');
    for (let bar = 0; bar < bars; bar++) {
      const age = ages[Math.ceil(((bar + 1) / bars) * ages.length) - 1] as number;
      const y = yOf(age);
      pen.fillRect(40 + bar * step, y, Math.max(1, step - (step > 4 ? 2 : 0.5)), height - y);
    }
    pen.strokeStyle = colour(palette, 'ink');
    pen.setLineDash([4, 3]);
    const x95 = 40 + 0.95 * room;
    pen.beginPath();
    pen.moveTo(x95, 0);
    pen.lineTo(x95, height);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = colour(palette, 'ink');
    pen.textAlign = 'right';
    pen.fillText('p95', x95 - 4, 7);
    pen.textAlign = 'left';
  };
  return { render };
};
