/** Rate of a counter over the last seconds. Times in milliseconds, values in events. */
export type Sample = { at: number; value: number };

/** Adds a sample and drops those older than `keepMs`, except one before that to measure from. */
export const withSample = (samples: readonly Sample[], sample: Sample, keepMs: number): Sample[] => {
  const last = samples.at(-1);
  const all = last !== undefined && sample.at <= last.at ? [...samples] : [...samples, sample];
  const kept = all.findLastIndex(({ at }) => at <= sample.at - keepMs);
  return all.slice(Math.max(0, kept));
};

/** Shorter spans are noise; older samples say nothing about the current rate. */
const spanMsMin = 900;
const spanMsMax = 30_000;

/** Events per second; null without enough recent samples. A counter that went back has restarted. */
export const perSecond = (samples: readonly Sample[]): number | null => {
  const last = samples.at(-1);
  const first = samples.find(({ at }) => last !== undefined && last.at - at <= spanMsMax);
  if (first === undefined || last === undefined) return null;
  if (last.at - first.at < spanMsMin || last.value < first.value) return null;
  return Math.round(((last.value - first.value) * 10_000) / (last.at - first.at)) / 10;
};

/** Seconds until a backlog is gone at the rate of these samples; null when it does not shrink. */
export const drainSeconds = (samples: readonly Sample[]): number | null => {
  const last = samples.at(-1);
  const [first] = samples;
  if (last === undefined || first === undefined) return null;
  if (last.value === 0) return 0;
  const gone = first.value - last.value;
  return gone <= 0 ? null : Math.round((last.value * (last.at - first.at)) / gone / 1_000);
};

/** Seconds until a lag is gone at `applied` events per second. */
export const clearSeconds = (lag: number, applied: number | null): number | null =>
  lag === 0 ? 0 : applied === null || applied <= 0 ? null : Math.round(lag / applied);
