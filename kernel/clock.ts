/** Time as a port. `now` is wall time for facts; `monotonic` is for durations and never steps back. Both in milliseconds. */
export type Clock = { now(): number; monotonic(): number };

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
