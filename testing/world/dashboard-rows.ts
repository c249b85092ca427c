import type { Correction, FleetSite, Pulse, SalesInterval } from '@branchline/hub/reports/contract.ts';

/** Rows for tests, with harmless values in every field that a test does not set. */
export const fleetSite = (fields: Partial<FleetSite> & { site: string }): FleetSite => ({
  state: 'online',
  sells: true,
  completeTo: '2026-11-23T12:00:00.000Z',
  ageSeconds: 0,
  heardAt: '2026-11-23T12:00:00.000Z',
  unknownSince: null,
  pending: 0,
  oldestUnrecordedAt: null,
  lastSaid: { pending: 0, oldestUnrecordedAt: null },
  unknown: [],
  drainSeconds: null,
  gaps: 0,
  versions: ['0.1.0'],
  clockAheadMs: 0,
  clockSuspect: false,
  ...fields,
});

export const salesInterval = (
  fields: Partial<SalesInterval> & { start: string; end: string },
): SalesInterval => ({
  currency: 'EUR',
  transactions: 1,
  voids: 0,
  lines: 1,
  units: '1',
  gross: 100,
  onTime: { transactions: 1, gross: 100 },
  completeness: { expected: 1, complete: 1, unknown: 0, missing: [], unknownSites: [] },
  revision: 1,
  changedAt: null,
  ...fields,
});

export const correction = (fields: Partial<Correction> & { id: string }): Correction => ({
  changedAt: '2026-11-23T12:00:00.000Z',
  site: 'store-0214',
  start: '2026-11-23T07:05:00.000Z',
  end: '2026-11-23T07:10:00.000Z',
  currency: 'EUR',
  voids: 0,
  transactions: 3,
  units: '37',
  gross: 12_345,
  lateSeconds: 18_000,
  revision: 2,
  ...fields,
});

const pipeline: Pulse['pipeline'] = {
  at: '2026-11-23T12:00:00.000Z',
  accepted: 0,
  recorded: 0,
  applied: 0,
  pending: 0,
  unknown: null,
  rates: { accepted: null, recorded: null, applied: null },
  lagRecords: 0,
  lagSeconds: 0,
  clearSeconds: null,
  deadLetters: 0,
  quarantined: 0,
  duplicates: 0,
  conflicts: 0,
  fenced: 0,
  lostByRetention: 0,
  unreadable: [],
  hubs: [],
};

export const pulse = (fields: Partial<Pulse>): Pulse => ({
  at: '2026-11-23T12:00:00.000Z',
  pipeline,
  exactness: { applied: 0, duplicates: 0, gaps: 0, quarantined: 0, conflicts: 0, fenced: 0, check: null },
  sites: [],
  intervals: [],
  corrections: [],
  ...fields,
});
