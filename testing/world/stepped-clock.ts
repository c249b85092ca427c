import { readFileSync } from 'node:fs';

/**
 * Loaded with `--import` before a process's own code: its wall clock is off by CLOCK_STEP_MS, or by the milliseconds in
 * CLOCK_STEP_FILE, which may change at any moment, like a clock set by hand or by NTP. The monotonic clock is untouched, as on
 * a real device.
 */
const { CLOCK_STEP_MS, CLOCK_STEP_FILE } = process.env;
const readEveryMs = 100;

const TrueDate = Date;
let stepMs = Number(CLOCK_STEP_MS ?? 0);
let readAt = Number.NEGATIVE_INFINITY;

const readStep = (file: string): void => {
  const at = performance.now();
  if (at - readAt < readEveryMs) return;
  readAt = at;
  try {
    stepMs = Number(readFileSync(file, 'utf8'));
  } catch {
    stepMs = 0;
  }
};

const now = (): number => {
  if (CLOCK_STEP_FILE !== undefined) readStep(CLOCK_STEP_FILE);
  return TrueDate.now() + stepMs;
};

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
