import { mkdirSync } from 'node:fs';
import { migrate } from '@branchline/hub/io/migrate.ts';
import pg from 'pg';
import type { Page } from 'playwright-core';
import { fillBooks } from '../browser/books-for-page.ts';
import { chromiumPath, installChromium, openChromium, openPage, untilLive } from '../browser/chromium.ts';
import { reportsOn } from '../browser/page-stand.ts';
import { type Bench, distribution, type Figures } from './report.ts';

/**
 * Scrolls the completeness map and the fleet grid of 2,000 sites with the live stream running, in a real browser against the
 * real report server. A frame time is the time between two frames; a screen shows 60 a second, one every 16.7 ms.
 */
const stores = 2_000;
const intervals = 60;
const frames = 600;
const pixelsPerFrame = 48;

/** Scrolls down and up again, one step per frame, and resolves with the times between frames in ms. */
const scroll = (page: Page, selector: string, steps: number): Promise<number[]> =>
  page.evaluate(
    ({ selector, steps, pixels }) =>
      new Promise<number[]>((done) => {
        const target = document.querySelector(selector) as HTMLElement;
        target.scrollIntoView({ block: 'center', behavior: 'instant' });
        const times: number[] = [];
        let last: number | undefined;
        const step = (now: number): void => {
          if (last !== undefined) times.push(now - last);
          last = now;
          if (times.length >= steps) {
            done(times);
            return;
          }
          target.scrollTop += times.length < steps / 2 ? pixels : -pixels;
          requestAnimationFrame(step);
        };
        // The first frames after the jump to the panel are not part of the scrolling.
        setTimeout(() => requestAnimationFrame(step), 500);
      }),
    { selector, steps, pixels: pixelsPerFrame },
  );

/** The same cells as a table, the simplest way to show them. */
const plainTable = (page: Page): Promise<void> =>
  page.evaluate(
    ({ rows, columns }) => {
      const place = document.createElement('div');
      place.id = 'plain';
      place.style.height = '384px';
      place.style.overflow = 'auto';
      const table = place.appendChild(document.createElement('table'));
      for (let row = 0; row < rows; row++) {
        const line = table.insertRow();
        line.insertCell().textContent = `store-${row}`;
        for (let column = 0; column < columns; column++) {
          const cell = line.insertCell();
          cell.title = `store-${row}, interval ${column}`;
          cell.style.backgroundColor = (row + column) % 9 === 0 ? '#f7e6c6' : '#58b0a6';
        }
      }
      document.body.replaceChildren(place);
    },
    { rows: stores, columns: intervals },
  );

const framesOf = (times: number[]): Record<string, number> => {
  const { n, p50, p99, max } = distribution(times) as Record<'n' | 'p50' | 'p99' | 'max', number>;
  const sorted = times.toSorted((a, b) => a - b);
  const p95 = sorted[Math.ceil(0.95 * sorted.length) - 1] ?? Number.NaN;
  return { n, p50, p95, p99, max, 'longer than 34 ms': times.filter((time) => time > 34).length };
};

export const dashboardBench: Bench = async ({ backbone, folder, share, onProgress }) => {
  if (chromiumPath === undefined)
    throw new Error(`no Chromium on this machine; install it with: ${installChromium}`);
  const steps = Math.max(60, Math.round(frames * share));
  mkdirSync(folder, { recursive: true });
  const database = 'bench_dashboard';
  await backbone.postgres.ensureDatabase(database);
  const url = backbone.postgres.ownerUrl(database);
  await migrate(url);
  const pool = new pg.Pool({ connectionString: url });
  onProgress(`filling books of ${stores} stores`);
  await fillBooks(pool, { stores, hours: 6, transactionsPerHour: 12, zone: 'UTC' });
  const reports = await reportsOn(url, folder);
  const browser = await openChromium();
  try {
    const opened = performance.now();
    const { page } = await openPage(browser, reports.url);
    await untilLive(page, stores);
    const liveMs = performance.now() - opened;
    onProgress(`scrolling ${steps} frames, three times`);
    const heat = await scroll(page, '#heat-map .cell-list', steps);
    const fleet = await scroll(page, '#fleet-grid .cell-list', steps);
    await plainTable(page);
    const plain = await scroll(page, '#plain', steps);
    const version = browser.version();
    const conditions = `${stores} sites × ${intervals} intervals, ${pixelsPerFrame} px per frame, 1440 × 900, live stream open, Chromium ${version} without a graphics card`;
    const figures: Figures[] = [
      {
        what: 'completeness map, frame time while scrolling',
        unit: 'ms',
        figures: framesOf(heat),
        conditions,
      },
      { what: 'fleet grid, frame time while scrolling', unit: 'ms', figures: framesOf(fleet), conditions },
      {
        what: 'baseline: the same cells as a table',
        unit: 'ms',
        figures: framesOf(plain),
        conditions: `${stores} rows of ${intervals + 1} table cells, no stream; the same steps`,
      },
      {
        what: 'opening the page until all sites are shown',
        unit: 'ms',
        figures: { once: liveMs },
        conditions: `${stores} sites, first visit, one measurement`,
      },
    ];
    return figures;
  } finally {
    await browser.close();
    await reports.component.stop();
    await pool.end();
  }
};
