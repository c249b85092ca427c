import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@branchline/kernel/clock.ts';
import type pg from 'pg';
import type { Correction, FleetSite, Pulse, SalesInterval } from './contract.ts';
import { ChangeLog } from './core/change-log.ts';
import { type Completeness, countOf, type Grid, gridCompleteness, startOf } from './core/completeness.ts';
import type { Interval } from './core/sums.ts';
import { fleetSite } from './figures/fleet.ts';
import { type Flow, selfCheckOf } from './figures/pipeline.ts';
import { correction } from './figures/rows.ts';
import { salesInterval } from './figures/sales.ts';
import { noCurrency, nothingSold } from './figures/shape.ts';
import { expectedIn, type FleetView, sitesTogether } from './fleet-view.ts';
import { readCorrections } from './io/correction-query.ts';
import { readChainIntervals, readChangedIntervals, readMainCurrency } from './io/sales-query.ts';
import type { SelfChecks } from './self-checks.ts';

/**
 * What changed in the books, by the number of the poll that found it changed. Each reader keeps the time of its last
 * successful read, so that a poll that fails half-way loses nothing.
 */
export type LiveSources = {
  pool: pg.Pool;
  flowOf(view: FleetView): Promise<Flow>;
  checks: SelfChecks;
  clock: Clock;
};

/** Intervals that a page shows live: a day and the evening before, in any zone. */
const spanMs = 36 * 3_600_000;
/**
 * A change carries the time its transaction began but becomes visible when that commits, so each poll reaches back further
 * than the last one: longer than a slice may take, plus the difference of the clocks.
 */
const overlapMs = 30_000;
const correctionsAtFirst = 50;
const correctionsPerPoll = 200;
const currencyEveryMs = 60_000;

const followIntervals = ({ pool, clock }: Pick<LiveSources, 'pool' | 'clock'>) => {
  const changes = new ChangeLog<number, SalesInterval>();
  let sums = new Map<number, Interval>();
  let currency = { code: noCurrency, readAt: Number.NEGATIVE_INFINITY };
  let since = Number.NEGATIVE_INFINITY;

  const readCurrency = async () => {
    if (clock.now() - currency.readAt < currencyEveryMs) return;
    const code = (await readMainCurrency(pool)) ?? noCurrency;
    if (code !== currency.code) {
      sums = new Map();
      since = Number.NEGATIVE_INFINITY;
    }
    currency = { code, readAt: clock.now() };
  };

  const readSums = async (grid: Grid) => {
    const { code } = currency;
    if (clock.now() - since > overlapMs) {
      const all = await readChainIntervals(pool, { ...grid, currency: code });
      sums = new Map(all.map((row) => [row.start, row]));
      return;
    }
    const changedSince = since - overlapMs;
    const changed = await readChangedIntervals(pool, { from: grid.from, changedSince, currency: code });
    for (const row of changed) if (row.start < grid.to) sums.set(row.start, row);
  };

  const note = (view: FleetView, grid: Grid, poll: number) => {
    const completeness = gridCompleteness(grid, expectedIn(view.sites, grid.from, grid.to));
    for (let i = 0; i < countOf(grid); i++) {
      const found = sums.get(startOf(grid, i));
      const known = completeness[i] as Completeness;
      const key = `${currency.code} ${found?.revision ?? 0} ${known.complete} ${known.unknown} ${known.expected}`;
      changes.note(startOf(grid, i), poll, key, () =>
        salesInterval(grid, i, currency.code, found ?? nothingSold, known),
      );
    }
    changes.forget((start) => start < grid.from);
    for (const start of sums.keys()) if (start < grid.from) sums.delete(start);
  };

  return {
    changes,
    poll: async (view: FleetView, poll: number) => {
      const startedAt = clock.now();
      await readCurrency();
      const to = Math.ceil((view.at + 1) / view.intervalMs) * view.intervalMs;
      const grid = { from: to - spanMs, to, stepMs: view.intervalMs };
      await readSums(grid);
      note(view, grid, poll);
      since = startedAt;
    },
  };
};

const followCorrections = ({ pool, clock }: Pick<LiveSources, 'pool' | 'clock'>) => {
  const changes = new ChangeLog<number, Correction>();
  let since: number | undefined;
  return {
    changes,
    poll: async (view: FleetView, poll: number) => {
      const startedAt = clock.now();
      const rows = await readCorrections(pool, {
        since: since === undefined ? startedAt - spanMs : since - overlapMs,
        windowsBefore: undefined,
        siteIds: undefined,
        after: undefined,
        limit: since === undefined ? correctionsAtFirst : correctionsPerPoll,
      });
      for (const row of rows)
        changes.note(row.id, poll, String(row.id), () => correction(row, view.intervalMs));
      // More than one poll reads: a correction forgotten too early would be sent again.
      changes.keepLast(2 * correctionsPerPoll);
      since = startedAt;
    },
  };
};

/** A site's row without its age, which pages count up themselves. */
const siteKey = (site: FleetSite): string => JSON.stringify({ ...site, ageSeconds: null });

export const followChanges = ({ flowOf, checks, ...from }: LiveSources) => {
  const sites = new ChangeLog<string, FleetSite>();
  const flows = new ChangeLog<'flow', undefined>();
  const intervals = followIntervals(from);
  const corrections = followCorrections(from);
  let newest: Pick<Pulse, 'at' | 'pipeline' | 'exactness'> | undefined;

  const pollFlow = async (view: FleetView, poll: number) => {
    const { pipeline, exactness } = await flowOf(view);
    const check = await checks.last();
    newest = {
      at: pipeline.at,
      pipeline,
      exactness: { ...exactness, check: check === undefined ? null : selfCheckOf(check) },
    };
    const key = JSON.stringify([{ ...pipeline, at: '', hubs: [] }, newest.exactness]);
    flows.note('flow', poll, key, () => undefined);
  };

  return {
    /** Numbers of polls only rise; one that failed may be used again. */
    poll: async (view: FleetView, poll: number): Promise<void> => {
      await intervals.poll(view, poll);
      await corrections.poll(view, poll);
      for (const [n, one] of view.sites.entries()) {
        if (n % sitesTogether === sitesTogether - 1) await setImmediate();
        const site = fleetSite(view, one);
        sites.note(site.site, poll, siteKey(site), () => site);
      }
      await pollFlow(view, poll);
    },
    changedSince: (poll: number): boolean =>
      [sites, intervals.changes, corrections.changes, flows].some((log) => log.newest() > poll),
    /** Undefined until the first poll has succeeded. */
    pulseSince: (poll: number): Pulse | undefined =>
      newest && {
        ...newest,
        sites: sites.since(poll),
        intervals: intervals.changes.since(poll),
        corrections: corrections.changes.since(poll),
      },
  };
};
export type LiveChanges = ReturnType<typeof followChanges>;
