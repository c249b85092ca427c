import type { IncomingMessage, ServerResponse } from 'node:http';
import { siteName } from '@branchline/contracts/ids.ts';
import { limits } from '@branchline/contracts/limits.ts';
import type { Clock } from '@branchline/kernel/clock.ts';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { problem } from '../contract.ts';
import type { SiteView } from '../core/fleet.ts';
import type { Flow } from '../figures/pipeline.ts';
import type { FleetView, FleetViews } from '../fleet-view.ts';
import type { SelfChecks } from '../self-checks.ts';
import { ApiProblem } from './problem.ts';

/** What all routes share. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export type Ports = {
  pool: pg.Pool;
  views: FleetViews;
  flowOf(view: FleetView): Promise<Flow>;
  checks: SelfChecks;
  clock: Clock;
  demoNetwork: string | undefined;
};

export const prefix = '/api/v1';

/** Every route may answer with a problem; described once per status class. */
export const problemResponses = {
  '4xx': {
    description: 'The request cannot be answered as it is',
    content: { 'application/problem+json': { schema: problem } },
  },
  '5xx': {
    description: 'The hub failed or cannot answer now',
    content: { 'application/problem+json': { schema: problem } },
  },
};

/** A repeatable query parameter, as a list; undefined when absent. */
export const several = <T extends z.ZodType<string>>(one: T) =>
  z
    .union([one, z.array(one).max(2_000)])
    .optional()
    .transform((value) => (value === undefined ? undefined : Array.isArray(value) ? value : [value]));

/** Parameters of a path below one site. */
export const ofSite = z.object({ site: siteName });

/** Of a list of several sites. */
export const anySites = several(siteName).describe('may be repeated; all sites when absent');

/** No name of the books has a NUL character, and PostgreSQL refuses one. */
export const text = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .refine((value) => !value.includes('\0'), 'must not hold a NUL character');

/** Why a person decided so; kept with the decision. */
export const reason = (lengthMax: number) => text(lengthMax).trim().min(3);

/** The intake takes no other days. */
const isYear = (value: string): boolean => value >= limits.dayMin && value.slice(0, 10) <= limits.dayMax;
const years = 'must be of the years 3 to 9996';
export const day = z.iso.date().refine(isYear, years);
export const instant = z.iso.datetime({ offset: true }).refine(isYear, years);

/** A row's id in a path. */
export const rowId = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

export const siteOf = (view: FleetView, name: string): SiteView => {
  const site = view.byName.get(name);
  if (site === undefined) throw new ApiProblem('unknown-site', `site ${name.slice(0, 64)}`);
  return site;
};

/** The named sites, sorted by name; all sites when none is named. */
export const sitesOf = (view: FleetView, names: readonly string[] | undefined): readonly SiteView[] => {
  if (names === undefined) return view.sites;
  const wanted = new Set(names.map((name) => siteOf(view, name)));
  return view.sites.filter((site) => wanted.has(site));
};

export const idsOf = (sites: readonly SiteView[]): number[] => sites.map((site) => site.siteId);
