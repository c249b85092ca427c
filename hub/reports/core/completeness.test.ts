import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Expected,
  endCompleteness,
  gridCompleteness,
  type SourceState,
  siteCompleteTo,
  sourceCompleteTo,
  type UnknownSpan,
} from './completeness.ts';

const noon = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
const dayMs = 86_400_000;
const source = (change: Partial<SourceState> = {}): SourceState => ({
  stream: 'pos',
  saidTo: noon,
  covered: true,
  recordedCovered: true,
  oldestUnrecordedAt: null,
  completeTo: null,
  ...change,
});

describe('a source', () => {
  test('is complete up to its status when the books have everything it reported', () => {
    expect(sourceCompleteTo(source(), 0)).toBe(noon);
  });

  test('corrects a clock that runs ahead when it dates waiting events, and leaves one that runs behind', () => {
    const waiting = { covered: false, oldestUnrecordedAt: noon + dayMs - 10 * minute };
    expect(sourceCompleteTo(source(waiting), dayMs)).toBe(noon - 10 * minute);
    const behind = { covered: false, oldestUnrecordedAt: noon - dayMs };
    expect(sourceCompleteTo(source(behind), -dayMs)).toBe(noon - dayMs);
    expect(sourceCompleteTo(source({ covered: false, oldestUnrecordedAt: noon + dayMs }), 0)).toBe(noon);
  });

  test('proves nothing by waiting events when its clock is unknown', () => {
    const waiting = { covered: false, oldestUnrecordedAt: noon - minute, completeTo: noon - 5 * minute };
    expect(sourceCompleteTo(source(waiting), null)).toBe(noon - 5 * minute);
  });

  test('is complete up to the first event that waits at the agent', () => {
    const waiting = source({ covered: false, oldestUnrecordedAt: noon - 20 * minute });
    expect(sourceCompleteTo(waiting, 0)).toBe(noon - 20 * minute);
  });

  test('proves nothing new while recorded events are missing, and keeps what was proven', () => {
    const lacking = { covered: false, recordedCovered: false, oldestUnrecordedAt: noon - minute };
    expect(sourceCompleteTo(source(lacking), 0)).toBe(null);
    expect(sourceCompleteTo(source({ ...lacking, completeTo: noon - 90 * minute }), 0)).toBe(
      noon - 90 * minute,
    );
  });

  test('that no status has listed is unknown', () => {
    expect(sourceCompleteTo(source({ saidTo: null }), 0)).toBe(null);
  });
});

describe('a site', () => {
  const agent = (...sources: SourceState[]) => ({ saidTo: noon, knownAheadMs: 0, sources });

  test('is as complete as the least complete of its sources of the stream', () => {
    const agents = [
      agent(source(), source({ covered: false, completeTo: noon - 5 * minute })),
      agent(source({ saidTo: noon - minute })),
    ];
    expect(siteCompleteTo(agents, 'pos')).toBe(noon - 5 * minute);
    expect(siteCompleteTo([...agents, agent(source({ stream: 'stock', saidTo: 0 }))], 'pos')).toBe(
      noon - 5 * minute,
    );
  });

  test('misses nothing of a stream that its agent does not list, up to that status', () => {
    expect(siteCompleteTo([agent(source({ stream: 'stock', saidTo: 0 }))], 'pos')).toBe(noon);
  });

  test('is unknown when its agent lists no source of the stream at an unknown time', () => {
    expect(siteCompleteTo([{ saidTo: null, knownAheadMs: null, sources: [] }], 'pos')).toBe(null);
  });

  test('is unknown when one source is, or when no agent was heard', () => {
    expect(siteCompleteTo([agent(source(), source({ saidTo: null }))], 'pos')).toBe(null);
    expect(siteCompleteTo([], 'pos')).toBe(null);
  });
});

/** Nothing is unknown. */
const known = { unknown: 0, unknownSites: [] };

describe('a window', () => {
  const grid = { from: noon, to: noon + 30 * minute, stepMs: 10 * minute };
  const whole = [{ from: grid.from, to: grid.to }];

  test('is complete for the sites that are complete up to its end or beyond', () => {
    const sites: Expected[] = [
      { name: 'a', completeTo: noon + 20 * minute, unknown: [], spans: whole },
      { name: 'b', completeTo: noon + 20 * minute - 1, unknown: [], spans: whole },
      { name: 'c', completeTo: null, unknown: [], spans: whole },
    ];
    expect(gridCompleteness(grid, sites)).toEqual([
      { ...known, expected: 3, complete: 2, missing: ['c'] },
      { ...known, expected: 3, complete: 1, missing: ['b', 'c'] },
      { ...known, expected: 3, complete: 0, missing: ['a', 'b', 'c'] },
    ]);
  });

  test('expects only sites whose opening hours touch it, each once', () => {
    const spans = [
      { from: noon, to: noon + 2 * minute },
      { from: noon + 4 * minute, to: noon + 11 * minute },
    ];
    const found = gridCompleteness(grid, [{ name: 'a', completeTo: null, unknown: [], spans }]);
    expect(found.map(({ expected }) => expected)).toEqual([1, 1, 0]);
  });

  test('counts all missing sites and names twenty', () => {
    const sites = Array.from({ length: 30 }, (_, i) => ({
      name: `s${i}`,
      completeTo: null,
      unknown: [],
      spans: whole,
    }));
    const [first] = gridCompleteness(grid, sites);
    expect(first).toMatchObject({ expected: 30, complete: 0 });
    expect(first?.missing).toHaveLength(20);
  });

  test('that is shorter than the others ends with the grid', () => {
    const odd = { from: noon, to: noon + 25 * minute, stepMs: 10 * minute };
    const at = (completeTo: number) =>
      gridCompleteness(odd, [
        { name: 'a', completeTo, unknown: [], spans: [{ from: odd.from, to: odd.to }] },
      ]).map(({ complete }) => complete);
    expect(at(odd.to)).toEqual([1, 1, 1]);
    expect(at(odd.to - 1)).toEqual([1, 1, 0]);
  });

  test('agrees with judging each window and site by itself', () => {
    const span = fc
      .tuple(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 1, max: 60 }))
      .map(([from, length]) => ({
        from: noon + from * minute,
        to: Math.min(noon + 60 * minute, noon + (from + length) * minute),
      }));
    const site = fc.record({
      completeTo: fc.option(
        fc.integer({ min: -10, max: 70 }).map((n) => noon + n * minute),
        { nil: null },
      ),
      unknown: fc.array(
        span.map(({ from, to }) => ({ id: 1, since: from, until: to, reason: 'database-replaced' as const })),
        { maxLength: 2 },
      ),
      spans: fc.array(span, { maxLength: 3 }).map((spans) => spans.sort((a, b) => a.from - b.from)),
    });
    fc.assert(
      fc.property(fc.array(site, { maxLength: 5 }), fc.integer({ min: 1, max: 17 }), (sites, step) => {
        const hour = { from: noon, to: noon + 60 * minute, stepMs: step * minute };
        const named = sites.map((one, i) => ({ ...one, name: `s${i}` }));
        const plain = Array.from({ length: Math.ceil(60 / step) }, (_, i) => {
          const from = noon + i * step * minute;
          const to = Math.min(hour.to, from + step * minute);
          const open = named.filter(({ spans }) => spans.some((one) => one.from < to && one.to > from));
          const unknown = open.filter((site) =>
            site.unknown.some((one) => one.since < to && one.until > from),
          );
          const missing = open.filter(
            (site) => !unknown.includes(site) && (site.completeTo === null || site.completeTo < to),
          );
          return {
            expected: open.length,
            complete: open.length - missing.length - unknown.length,
            unknown: unknown.length,
            missing: missing.map(({ name }) => name),
            unknownSites: unknown.map(({ name }) => name),
          };
        });
        expect(gridCompleteness(hour, named)).toEqual(plain);
      }),
    );
  });
});

const lost = (since: number | null, until: number): UnknownSpan[] => [
  { id: 1, since, until, reason: since === null ? 'before-first-agent' : 'database-replaced' },
];

test('H3 an interval that a lost database or the time before the first agent touches is unknown, never complete', () => {
  const grid = { from: noon, to: noon + 40 * minute, stepMs: 10 * minute };
  const statesOf = (unknown: UnknownSpan[]) =>
    gridCompleteness(grid, [
      { name: 'a', completeTo: grid.to, unknown, spans: [{ from: grid.from, to: grid.to }] },
    ]).map((one) => (one.unknown === 1 ? 'unknown' : one.complete === 1 ? 'complete' : 'missing'));
  const [c, u] = ['complete', 'unknown'];
  expect(statesOf(lost(null, noon + 10 * minute + 1))).toEqual([u, u, c, c]);
  expect(statesOf(lost(null, noon + 10 * minute))).toEqual([u, c, c, c]);
  expect(statesOf(lost(noon + 15 * minute, noon + 20 * minute))).toEqual([c, u, c, c]);
  expect(statesOf(lost(noon - minute, noon))).toEqual([c, c, c, c]);
});

test('a period that ends at a different time for each site is complete for the sites past their own end', () => {
  const day = { start: noon - 60 * minute, unknown: [] };
  const sites = [
    { ...day, name: 'a', completeTo: noon, end: noon },
    { ...day, name: 'b', completeTo: noon, end: noon + 1 },
    { ...day, name: 'c', completeTo: noon, end: noon, unknown: lost(null, noon - 59 * minute) },
  ];
  expect(endCompleteness(sites)).toEqual({
    expected: 3,
    complete: 1,
    unknown: 1,
    missing: ['b'],
    unknownSites: ['c'],
  });
});
