import type { Backbone } from '@branchline/local/backbone.ts';

/** One line of a benchmark's result: figures of one unit, and the conditions under which they were taken. */
export type Figures = { what: string; unit: string; figures: Record<string, number>; conditions: string };

export type BenchContext = {
  backbone: Backbone;
  /** A folder of its own. */
  folder: string;
  /** Share of the full work to do, 0 … 1. */
  share: number;
  /** Scale of `three-years`, if not the usual one. */
  sites?: number | undefined;
  years?: number | undefined;
  onProgress(line: string): void;
};

export type Bench = (context: BenchContext) => Promise<Figures[]>;

/** Minimum, quantiles (nearest rank) and maximum of a sample. */
export const distribution = (sample: number[]): Record<string, number> => {
  const sorted = [...sample].sort((a, b) => a - b);
  const rank = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return {
    n: sorted.length,
    min: sorted[0] ?? Number.NaN,
    p50: rank(0.5),
    p90: rank(0.9),
    p99: rank(0.99),
    max: sorted.at(-1) ?? Number.NaN,
  };
};

/** Polls until the condition holds; throws after `withinMs`. */
export const until = async (
  what: string,
  withinMs: number,
  condition: () => Promise<boolean> | boolean,
  everyMs = 50,
): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`did not happen within ${withinMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
};
