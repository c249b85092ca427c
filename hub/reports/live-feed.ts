import { randomUUID } from 'node:crypto';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { Log } from '@branchline/kernel/log.ts';
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
import { expectedIn, type FleetView, type FleetViews } from './fleet-view.ts';
import { readCorrections } from './io/correction-query.ts';
import { readChainIntervals, readChangedIntervals, readMainCurrency } from './io/sales-query.ts';
import type { SelfChecks } from './self-checks.ts';

/**
 * One look at the books serves all open pages, however many. What changed is kept by key with the number of the look in
 * which it changed; a page gets what changed since the look it saw last. So a page that reads slowly misses messages and
 * never a change, and nothing queues up for it. When nobody listens nobody looks.
 */
export type LiveClient = {
  /** The id of the last event it saw, when it comes back. */
  seen: string | undefined;
  isBusy(): boolean;
  send(text: string): void;
};

export type LiveFeed = {
  join(client: LiveClient): () => void;
  clients(): number;
  stop(): Promise<void>;
};

/** At most two messages a second. */
const lookEveryMs = 500;
/** Without any change a page still hears this often that figures are current. */
const silenceMsMax = 5_000;
/** Intervals that a page shows live: a day and the evening before, in any zone. */
const intervalsMs = 36 * 3_600_000;
/**
 * A change carries the time at which its transaction began and is seen when that ends, so each look goes back a little
 * further than the last one: longer than a slice may take, and than the clocks differ.
 */
const overlapMs = 30_000;
const correctionsAtFirst = 50;
const correctionsPerLook = 200;
const currencyEveryMs = 60_000;

type Parts = {
  pool: pg.Pool;
  views: FleetViews;
  flowOf(view: FleetView): Promise<Flow>;
  checks: SelfChecks;
  clock: Clock;
  log: Log;
};

/** What the pages were last told, and what the books said last. */
const createState = ({ pool, flowOf, checks, clock }: Omit<Parts, 'views' | 'log'>) => {
  const sites = new ChangeLog<string, FleetSite>();
  const intervals = new ChangeLog<number, SalesInterval>();
  const corrections = new ChangeLog<number, Correction>();
  let sums = new Map<number, Interval>();
  let currency = { code: noCurrency, readAt: Number.NEGATIVE_INFINITY };
  let lookedAt = Number.NEGATIVE_INFINITY;
  let told: Pick<Pulse, 'at' | 'pipeline' | 'exactness'> | undefined;
  const flows = new ChangeLog<'flow', unknown>();

  const readCurrency = async () => {
    if (clock.now() - currency.readAt < currencyEveryMs) return;
    const code = (await readMainCurrency(pool)) ?? noCurrency;
    if (code !== currency.code) sums = new Map();
    if (code !== currency.code) lookedAt = Number.NEGATIVE_INFINITY;
    currency = { code, readAt: clock.now() };
  };

  const readSums = async (grid: Grid, since: number) => {
    if (clock.now() - since > overlapMs) {
      const all = await readChainIntervals(pool, { ...grid, currency: currency.code });
      sums = new Map(all.map((row) => [row.start, row]));
      return;
    }
    const changed = await readChangedIntervals(pool, {
      from: grid.from,
      changedSince: since - overlapMs,
      currency: currency.code,
    });
    for (const row of changed) if (row.start < grid.to) sums.set(row.start, row);
  };

  const noteIntervals = (view: FleetView, grid: Grid, look: number) => {
    const completeness = gridCompleteness(grid, expectedIn(view.sites, grid.from, grid.to));
    for (let i = 0; i < countOf(grid); i++) {
      const found = sums.get(startOf(grid, i));
      const known = completeness[i] as Completeness;
      const key = `${currency.code} ${found?.revision ?? 0} ${known.complete} ${known.expected}`;
      intervals.note(startOf(grid, i), look, key, () =>
        salesInterval(grid, i, currency.code, found ?? nothingSold, known),
      );
    }
    intervals.forget((start) => start < grid.from);
    for (const start of sums.keys()) if (start < grid.from) sums.delete(start);
  };

  const noteCorrections = async (view: FleetView, since: number, look: number) => {
    const first = !Number.isFinite(since);
    const rows = await readCorrections(pool, {
      since: first ? clock.now() - intervalsMs : since - overlapMs,
      windowsBefore: undefined,
      siteIds: undefined,
      after: undefined,
      limit: first ? correctionsAtFirst : correctionsPerLook,
    });
    for (const row of rows)
      corrections.note(row.id, look, String(row.id), () => correction(row, view.intervalMs));
    // More than one look brings: one that was forgotten too early would be told again.
    corrections.keepLast(2 * correctionsPerLook);
  };

  return {
    /** Times of `look` only rise. */
    look: async (view: FleetView, look: number) => {
      const startedAt = clock.now();
      await readCurrency();
      const since = lookedAt;
      const to = Math.ceil((view.at + 1) / view.intervalMs) * view.intervalMs;
      const grid = { from: to - intervalsMs, to, stepMs: view.intervalMs };
      await readSums(grid, since);
      await noteCorrections(view, since, look);
      noteIntervals(view, grid, look);
      for (const site of view.sites)
        sites.note(site.name, look, siteKey(view, site.name), () => fleetSite(view, site));
      const { pipeline, exactness } = await flowOf(view);
      const check = await checks.last();
      told = {
        at: pipeline.at,
        pipeline,
        exactness: { ...exactness, check: check === undefined ? null : selfCheckOf(check) },
      };
      flows.note(
        'flow',
        look,
        JSON.stringify([{ ...pipeline, at: '', hubs: [] }, told.exactness]),
        () => told,
      );
      lookedAt = startedAt;
    },
    changedSince: (look: number): boolean =>
      [sites, intervals, corrections, flows].some((log) => log.newest() > look),
    pulseSince: (look: number): Pulse | undefined =>
      told === undefined
        ? undefined
        : {
            ...told,
            sites: sites.since(look),
            intervals: intervals.since(look),
            corrections: corrections.since(look),
          },
  };
};

/** All of a site's row but its age, which a page counts on by itself. */
const siteKey = (view: FleetView, name: string): string => {
  const site = view.byName.get(name);
  if (site === undefined) return '';
  return JSON.stringify({ ...fleetSite(view, site), ageSeconds: null });
};

type Joined = LiveClient & { look: number; sentAt: number };

export const feedLive = ({ views, log, ...parts }: Parts): LiveFeed => {
  const run = randomUUID().slice(0, 8);
  const state = createState(parts);
  const joined = new Set<Joined>();
  let look = 0;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let stopped = false;

  const deliver = () => {
    const texts = new Map<number, string>();
    const now = parts.clock.monotonic();
    for (const client of joined) {
      if (client.isBusy()) continue;
      if (!state.changedSince(client.look) && now - client.sentAt < silenceMsMax) continue;
      let text = texts.get(client.look);
      if (text === undefined) {
        const pulse = state.pulseSince(client.look);
        if (pulse === undefined) return;
        text = `id: ${run}-${look}\nevent: pulse\ndata: ${JSON.stringify(pulse)}\n\n`;
        texts.set(client.look, text);
      }
      client.send(text);
      client.look = look;
      client.sentAt = now;
    }
  };

  const cycle = async () => {
    const startedAt = parts.clock.monotonic();
    try {
      await state.look(await views.now(), look + 1);
      look += 1;
      deliver();
    } catch (error) {
      log.debug({ err: error }, 'the books could not be looked at; pages wait');
    }
    if (!stopped && joined.size > 0)
      timer = setTimeout(begin, Math.max(50, lookEveryMs - (parts.clock.monotonic() - startedAt)));
  };
  const begin = () => {
    timer = undefined;
    looking = cycle().finally(() => {
      looking = undefined;
    });
  };

  return {
    join: (client) => {
      const [of, seen] = client.seen?.split('-') ?? [];
      // Looks are numbered within one life of the process; a page that saw another one's gets everything.
      const known = of === run && Number(seen) <= look ? Number(seen) : 0;
      const one: Joined = { ...client, look: known, sentAt: Number.NEGATIVE_INFINITY };
      joined.add(one);
      if (timer === undefined && looking === undefined && !stopped) begin();
      return () => {
        joined.delete(one);
        if (joined.size > 0) return;
        clearTimeout(timer);
        timer = undefined;
      };
    },
    clients: () => joined.size,
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
};
