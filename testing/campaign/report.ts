import type { Growth } from './growth.ts';

/** The report of a campaign. */
export type Strike = {
  names: readonly string[];
  detail: string;
  /** From the end of the fault until everything was in the books; undefined if that took too long. */
  recoveryMs: number | undefined;
};

export type Result = {
  seed: number;
  minutes: number;
  machine: Record<string, string>;
  strikes: readonly Strike[];
  skipped: readonly { name: string; why: string }[];
  events: number;
  audits: number;
  runningChecks: number;
  restarts: number;
  growth: readonly Growth[];
  databaseBytes: number;
  findings: readonly string[];
  /** The command that repeats the same faults. */
  repeat: string;
};

const rank = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;

const seconds = (ms: number): string => (Number.isNaN(ms) ? '–' : (ms / 1_000).toFixed(1));

/** Strikes of two faults are listed once, under "two at once". */
export const recoveryTable = (strikes: readonly Strike[]): string[] => {
  const byKind = Map.groupBy(strikes, ({ names }) =>
    names.length === 1 ? (names[0] as string) : 'two at once',
  );
  const rows = [...byKind]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, of]) => {
      const taken = of.flatMap(({ recoveryMs }) => recoveryMs ?? []).sort((a, b) => a - b);
      const never = of.length - taken.length;
      return [
        name.padEnd(24),
        String(of.length).padStart(5),
        seconds(rank(taken, 0.5)).padStart(8),
        seconds(rank(taken, 0.9)).padStart(8),
        seconds(rank(taken, 1)).padStart(8),
        never === 0 ? '' : `  ${never} never`,
      ].join('');
    });
  return [`${'fault'.padEnd(24)}count   p50 s   p90 s   max s`, ...rows];
};

const MiB = 1024 * 1024;

export const reportText = (result: Result): string => {
  const { strikes, findings, growth, skipped } = result;
  const faults = strikes.reduce((sum, { names }) => sum + names.length, 0);
  return [
    `Fault campaign: ${result.minutes} minutes, seed ${result.seed}`,
    '',
    ...Object.entries(result.machine).map(([name, value]) => `${name.padEnd(12)} ${value}`),
    '',
    `${faults} faults in ${strikes.length} strikes; ${result.events.toLocaleString('en-GB')} events accepted; ${result.restarts} processes ended and were restarted`,
    `${result.audits} full comparisons with what tills were answered, ${result.runningChecks} checks while running`,
    '',
    'Time from the end of a fault until everything that was accepted before it ended, and something from every site that was',
    'accepted after it, was in the books:',
    '',
    ...recoveryTable(strikes),
    ...(skipped.length === 0 ? [] : ['', ...skipped.map(({ name, why }) => `SKIPPED ${name}: ${why}`)]),
    '',
    `memory, MiB  ${'early'.padStart(8)}${'late'.padStart(8)}${'max'.padStart(8)}   open files, at most`,
    ...growth.map(
      ({ name, early, late, max, filesMax }) =>
        `${name.padEnd(12)} ${[early, late, max].map((bytes) => String(Math.round(bytes / MiB)).padStart(8)).join('')}   ${filesMax}`,
    ),
    `largest database of an agent: ${(result.databaseBytes / MiB).toFixed(1)} MiB`,
    '',
    ...(findings.length === 0
      ? [
          'VERDICT: exact. Nothing lost, doubled or invented; totals and stock are equal; everything recovered; nothing grew.',
        ]
      : ['VERDICT: FAILED', ...findings.map((finding) => `  ${finding}`), '', `Repeat: ${result.repeat}`]),
    '',
  ].join('\n');
};
