import { seq } from '@branchline/contracts/ids.ts';
import { z } from 'zod';

/**
 * The schemas of the report API, `/api/v1`: the server's answers, the OpenAPI description and the dashboard's types all
 * come from them. Money is an integer number of minor units of `currency`; quantities are
 * decimal strings; instants are RFC 3339 in UTC; days are the site's own business days.
 */

const instant = z.iso.datetime().describe('RFC 3339, UTC');
const day = z.iso.date().describe("YYYY-MM-DD, the site's own business day");
const count = z.int().min(0);
const minorUnits = z.int().describe('minor units of the currency');
const quantity = z.string().describe('decimal, at most three places');
const currency = z.string().length(3);
const siteName = z.string();

/** How complete a figure is: no window ever closes, so each figure names the sites that may still add to it. */
export const completeness = z.object({
  expected: count.describe('sites expected to be open in the interval'),
  complete: count.describe('of those, sites whose events accepted by its end are all in the books'),
  unknown: count.describe('of those, sites with an unknown span, see /sites/{site}/unknown'),
  missing: z
    .array(siteName)
    .describe('the other sites by name, at most 20: they may still add to the figure'),
  unknownSites: z.array(siteName).describe('the unknown sites by name, at most 20'),
});
export type Completeness = z.infer<typeof completeness>;

const sold = { transactions: count, voids: count, lines: z.int(), units: quantity, gross: minorUnits };

export const salesInterval = z.object({
  start: instant,
  end: instant,
  currency,
  ...sold,
  /** The figure first reported: without events recorded more than one interval late. */
  onTime: z.object({ transactions: count, gross: minorUnits }),
  completeness,
  revision: count.describe('changes of the interval, summed over its sites; 0 when nothing was sold'),
  changedAt: instant.nullable(),
});
export type SalesInterval = z.infer<typeof salesInterval>;

export const salesSite = z.object({
  site: siteName,
  currency,
  ...sold,
  onTime: z.object({ transactions: count, gross: minorUnits }),
  completeTo: instant.nullable(),
  complete: z
    .boolean()
    .describe(
      'whether everything that the site accepted by the end of the range is in the books: completeTo has reached it, and no time in it is unknown',
    ),
  revision: count,
  changedAt: instant.nullable(),
});
export type SalesSite = z.infer<typeof salesSite>;

export const salesItem = z.object({
  item: z.string(),
  currency,
  lines: count,
  units: quantity,
  amount: minorUnits,
  changedAt: instant,
});
export type SalesItem = z.infer<typeof salesItem>;

const beside = {
  rounding: minorUnits.describe('sum of the ROUNDING tenders; gross minus this was paid'),
  notSales: minorUnits.describe(
    'the part of the gross that is not sales: deposits, gift cards, tips, donations, adjustments',
  ),
};

export const salesDay = z.object({
  businessDay: day,
  currency,
  ...sold,
  ...beside,
  completeness,
  revision: count,
  changedAt: instant.nullable(),
});
export type SalesDay = z.infer<typeof salesDay>;

export const stockRow = z.object({
  site: siteName,
  location: z.string(),
  item: z.string(),
  onHand: quantity,
  countedAt: instant.nullable(),
  countId: z
    .string()
    .nullable()
    .describe('the count that determines the stock; POST /sites/{site}/counts/void voids it'),
  countSuspect: z.boolean().describe('that count is dated after it was recorded'),
  changedAt: instant,
  negative: z.boolean(),
  /** Time up to which the site's stock events are in the books; after it the position may have changed. */
  knownTo: instant.nullable(),
  stale: z.boolean(),
});
export type StockRow = z.infer<typeof stockRow>;

export const unknownReasons = [
  'before-first-agent',
  'database-replaced',
  'database-restored',
  'agent-retired',
] as const;
export type UnknownReason = (typeof unknownReasons)[number];
const unknownReason = z
  .enum(unknownReasons)
  .describe(
    "before-first-agent: no agent of the site had been heard from yet; database-replaced: an agent's database is new, so what the old one held and had not sent is lost; database-restored: it is an older copy of itself; agent-retired: the agent was retired while it may have held events",
  );
const unknownSince = instant.nullable().describe('null: since ever');
const unknownUntil = instant.describe('from here on, completeTo says what is complete');

/** A span of time in which the books may lack events that the site accepted. */
export const unknown = z.object({
  id: z.string(),
  site: siteName,
  agent: z.string().nullable(),
  reason: unknownReason,
  since: unknownSince,
  until: unknownUntil,
  noticedAt: instant,
  returnedAt: instant.nullable().describe('when the database was heard from again: its span is known again'),
  dismissedAt: instant.nullable(),
  dismissedBecause: z.string().nullable(),
});
export type Unknown = z.infer<typeof unknown>;

export const stockCount = z.object({
  site: siteName,
  location: z.string(),
  id: z.string(),
  countedAt: instant,
  scope: z.enum(['items', 'location']).describe('location: items that it does not list count as zero'),
  suspect: z.boolean().describe('it is dated after it was recorded'),
  decision: z
    .object({
      voided: z.boolean().describe('false: restored'),
      reason: z.string(),
      askedAt: instant,
      appliedAt: instant
        .nullable()
        .describe('when the stock was recomputed; null until the ledger has done so'),
    })
    .nullable()
    .describe('the latest decision of a person; null if there is none'),
});
export type StockCount = z.infer<typeof stockCount>;

export const siteStates = ['online', 'late', 'silent', 'closed', 'never'] as const;
export const fleetSite = z.object({
  site: siteName,
  state: z
    .enum(siteStates)
    .describe(
      'online: reports, and its newest data is fresh; late: reports, but its newest data is older than two intervals; silent: missed three status messages; closed: silent outside its opening hours; never: no agent has ever reported',
    ),
  sells: z.boolean(),
  completeTo: instant.nullable(),
  ageSeconds: z.number().nullable().describe('now - completeTo'),
  heardAt: instant.nullable(),
  unknownSince: instant
    .nullable()
    .describe(
      'when the longest-silent agent was last heard from: what has waited since is unknown. Null while all are heard from, and if none ever was',
    ),
  pending: count.nullable().describe('events waiting at the site; null: unknown, see unknownSince'),
  oldestUnrecordedAt: instant
    .nullable()
    .describe('when the oldest of them was accepted; null if none waits or this is unknown'),
  lastSaid: z
    .object({ pending: count, oldestUnrecordedAt: instant.nullable() })
    .nullable()
    .describe('what its agents last reported, however long ago; null if none was ever heard from'),
  unknown: z
    .array(z.object({ id: z.string(), since: unknownSince, until: unknownUntil, reason: unknownReason }))
    .describe('unknown spans: the newest 20 not dismissed'),
  drainSeconds: z
    .number()
    .nullable()
    .describe('time until the backlog is gone at the current rate; null when unknown'),
  gaps: count.describe('seqs missing in the books below the highest one reported'),
  versions: z.array(z.string()),
  clockAheadMs: z.number(),
  clockSuspect: z.boolean().describe("the agent's clock is more than five minutes off Kafka's"),
});
export type FleetSite = z.infer<typeof fleetSite>;

export const fleet = z.object({
  at: instant,
  counts: z.record(z.enum(siteStates), count),
  freshness: z.object({ p50: z.number(), p95: z.number(), max: z.number() }).nullable().describe('seconds'),
  sites: z.array(fleetSite),
  next: z.string().nullable(),
});
export type Fleet = z.infer<typeof fleet>;

const perSecond = z.number().nullable().describe('events per second over the last ten seconds');
export const pipeline = z.object({
  at: instant,
  accepted: count,
  recorded: count,
  applied: count,
  pending: count
    .nullable()
    .describe('events waiting at the sites that are heard from; null: none is heard from'),
  unknown: z
    .object({ sites: count, since: instant })
    .nullable()
    .describe(
      'sites that are not heard from, and since when the longest-silent of them: what waits there is unknown. Null when all are heard from',
    ),
  rates: z.object({ accepted: perSecond, recorded: perSecond, applied: perSecond }),
  lagRecords: count,
  lagSeconds: z.number(),
  clearSeconds: z.number().nullable().describe('time until the lag is gone at the current rate'),
  deadLetters: count,
  quarantined: count.describe('currently held'),
  duplicates: count.describe('deliveries rejected because the books already had them'),
  conflicts: count,
  fenced: count.describe('slices rolled back because another hub had overtaken this one'),
  lostByRetention: count,
  unreadable: z
    .array(
      z.object({
        topic: z.string(),
        partition: count,
        since: instant,
        reason: z.string().describe('which offsets, why, and what to do'),
        hub: z.string(),
      }),
    )
    .describe(
      'partitions that stand still because their next record batch cannot be read: sales of their sites are not in the books',
    ),
  hubs: z.array(
    z.object({
      instance: z.string(),
      version: z.string(),
      saidAt: instant,
      alive: z.boolean(),
      lagRecords: count,
      lagSeconds: z.number(),
    }),
  ),
});
export type Pipeline = z.infer<typeof pipeline>;

export const correction = z.object({
  id: z.string(),
  changedAt: instant,
  site: siteName,
  start: instant,
  end: instant,
  currency,
  transactions: count.describe('late sales'),
  voids: count.describe('late voids; before version 013 of the database they are among the late sales'),
  units: quantity,
  gross: minorUnits,
  lateSeconds: z.number(),
  revision: count.describe("the window's current revision"),
});
export type Correction = z.infer<typeof correction>;

const dayFigures = z.object({ transactions: count, voids: count, gross: minorUnits });
export const reconciliation = z.object({
  site: siteName,
  businessDay: day,
  workstation: z.string(),
  currency,
  state: z
    .enum(['equal', 'differs', 'open'])
    .describe(
      "equal: the till's day-end report and the books agree; differs: they do not; open: no report yet",
    ),
  reportNumber: z.int().nullable(),
  closedAt: instant.nullable(),
  stated: dayFigures.nullable(),
  books: dayFigures.extend(beside),
  gaps: count.describe('seqs of this site missing in the books'),
  suspectVoids: count.describe(
    'voids of this till and day with a flag, see /voids; they are in the figures all the same',
  ),
  text: z
    .string()
    .describe(
      'the row as a sentence: "store-0117 till-1, 2026-11-22: 1,204 of 1,204 transactions, 0 gaps, totals equal"',
    ),
});
export type Reconciliation = z.infer<typeof reconciliation>;

export const selfCheck = z.object({
  at: instant,
  tookMs: z.number(),
  equal: z.boolean(),
  /** The same sales, added up from different tables. */
  sums: z.array(
    z.object({
      what: z.string(),
      scope: z.string().describe('"all time" or a business day; sums of one scope and currency must agree'),
      currency,
      transactions: z.int().nullable().describe('null when the table does not count transactions'),
      lines: z.int().nullable(),
      gross: minorUnits,
    }),
  ),
  coverage: z
    .object({
      before: day
        .nullable()
        .describe('the sums of all days before this one are kept; null if there are none'),
      addedUpAgain: count.describe('how many of these sums this check added up again'),
      since: instant.nullable().describe('each of them was added up at this time or later'),
    })
    .nullable()
    .describe('null for checks of versions that kept no sums'),
});
export type SelfCheck = z.infer<typeof selfCheck>;
export const exactness = z.object({
  applied: count,
  duplicates: count,
  gaps: count,
  quarantined: count,
  conflicts: count,
  fenced: count,
  check: selfCheck.nullable(),
});
export type Exactness = z.infer<typeof exactness>;

export const quarantined = z.object({
  id: z.string(),
  receivedAt: instant,
  site: siteName.nullable(),
  stream: z.string().nullable(),
  seqs: z.tuple([z.int(), z.int()]).nullable(),
  reason: z.string(),
  detail: z.string(),
  state: z.enum(['held', 'asked', 'applied', 'dismissed']),
  settledAt: instant.nullable(),
  bytes: count,
});
export type Quarantined = z.infer<typeof quarantined>;

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day is HH:MM');
export const calendar = z.object({
  timeZone: z.string().nullable().describe("IANA name; null means the chain's"),
  openedOn: day.nullable(),
  closedOn: day.nullable(),
  openingHours: z
    .array(
      z.object({
        weekday: z.int().min(1).max(7).describe('1 is Monday'),
        opens: clockTime,
        closes: clockTime,
      }),
    )
    .max(28)
    .describe(
      'local times; a closing time not after its opening is on the next day; an empty list means always open',
    ),
  closedDays: z.array(day).max(1000),
});
export type Calendar = z.infer<typeof calendar>;

export const replayRequest = z
  .object({
    site: siteName,
    agent: z.string().default('edge-1'),
    stream: z.enum(['pos', 'stock']),
    epoch: z.uuid().toLowerCase().optional(),
    // An agent ignores a command that breaks the contract, so the API takes nothing wider.
    seqs: z.tuple([seq, seq]).optional().describe('inclusive, within epoch'),
    accepted: z.tuple([instant, instant]).optional().describe('when the agent accepted them, inclusive'),
  })
  .refine((ask) => (ask.seqs === undefined) !== (ask.accepted === undefined), 'give either seqs or accepted')
  .refine((ask) => ask.seqs === undefined || ask.epoch !== undefined, 'seqs need an epoch');
export const replay = z.object({
  id: z.string(),
  site: siteName,
  agent: z.string(),
  stream: z.string(),
  epoch: z.string().nullable(),
  seqs: z.tuple([z.int(), z.int()]).nullable(),
  accepted: z.tuple([instant, instant]).nullable(),
  requestedAt: instant,
  state: z.enum(['asked', 'sent', 'running', 'done', 'unanswered']),
  events: count.nullable().describe('how many of the requested events the agent still has'),
  left: count.nullable(),
  newInBooks: count.nullable().describe('events of that site applied meanwhile; 0 when nothing was missing'),
});
export type Replay = z.infer<typeof replay>;

/** In the order of `journal.kind`, which starts at 1. */
export const journalKinds = [
  'completed',
  'voided',
  'aborted',
  'training',
  'movement',
  'countOfItems',
  'countOfLocation',
  'dayReport',
] as const;

/** In the order of their bits in `journal.flags`. */
export const journalFlags = [
  'linesDifferFromGross',
  'taxDiffersFromGross',
  'endDiffersFromTime',
  'clockSuspect',
  'businessDayFar',
] as const;

/** One event in the books, found by the till's key, with its origin: follows a sale from the till to the books. */
export const journalEntry = z.object({
  site: siteName,
  businessDay: day,
  id: z.string(),
  kind: z.enum(journalKinds),
  at: instant.describe("the event's own time"),
  currency: z.string(),
  gross: minorUnits,
  lines: count,
  units: quantity,
  agent: z.string(),
  stream: z.string(),
  epoch: z.string(),
  seq: z.int().min(1),
  recordedAt: instant.describe("Kafka's time of the record"),
  flags: z
    .array(z.enum(journalFlags))
    .describe('what does not fit together in what the event states; it is in the books as stated'),
  traceId: z.string().nullable().describe("32 hexadecimal digits of the event's traceparent"),
});
export type JournalEntry = z.infer<typeof journalEntry>;

export const voidFlags = ['unknown-sale', 'training-sale', 'not-a-sale', 'voided-before'] as const;
/** A void, and the sale that it takes back. */
export const voidRow = z.object({
  site: siteName,
  businessDay: day,
  id: z.string(),
  at: instant.describe("the void's own time"),
  voids: z.object({ businessDay: day, id: z.string() }).describe("the sale's key, as the void states it"),
  flag: z
    .enum(voidFlags)
    .nullable()
    .describe(
      'unknown-sale: the sale is not in the books, or not yet; training-sale, not-a-sale: it was training or aborted; voided-before: an earlier void takes back the same sale; null: nothing is wrong. A flagged void stays in the books',
    ),
});
export type VoidRow = z.infer<typeof voidRow>;

export const site = z.object({
  site: siteName,
  sells: z.boolean().describe('has opening hours, or has sent a transaction'),
  timeZone: z.string().describe("IANA name: the site's own, or the chain's"),
  openedOn: day.nullable(),
  closedOn: day.nullable(),
});
export type Site = z.infer<typeof site>;

/** Seqs of one source that the books miss. */
export const gap = z.object({
  site: siteName,
  agent: z.string(),
  stream: z.enum(['pos', 'stock']),
  epoch: z.string(),
  missing: count.describe('number of missing seqs below the highest one known'),
  completeTo: instant.nullable().describe('time up to which the books have everything from this source'),
  named: z
    .boolean()
    .describe("whether the agent's last status still lists this source; if so, its events may still arrive"),
  dismissedAt: instant.nullable(),
});
export type Gap = z.infer<typeof gap>;
export const gapRequest = z.object({
  agent: z.string(),
  stream: z.enum(['pos', 'stock']),
  epoch: z.uuid(),
});
export const retiredAgent = z.object({
  site: siteName,
  agent: z.string(),
  heardAt: instant,
  retiredAt: instant,
});
export type RetiredAgent = z.infer<typeof retiredAgent>;

export const demo = z.object({ available: z.boolean(), offline: z.array(siteName) });
export type Demo = z.infer<typeof demo>;

/** One message of `GET /api/v1/live`: server-sent events named `pulse`, at most two a second. */
export const pulse = z.object({
  at: instant,
  pipeline,
  exactness,
  /** Sites that changed since the last message; all of them in the first message. */
  sites: z.array(fleetSite),
  /** Intervals that changed since the last message: all sites together, in the chain's main currency. */
  intervals: z.array(salesInterval),
  corrections: z.array(correction),
});
export type Pulse = z.infer<typeof pulse>;

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  hint: z.string().optional(),
});
export type ProblemDetails = z.infer<typeof problem>;
