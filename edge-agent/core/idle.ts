/**
 * When to tidy up: after much work, once there is little. `work` is a counter that only grows, in events; the answer is
 * yes at most once per `restAfterEvents`, so that the pause it costs is spread over as many.
 */
export const restAfterEvents = 10_000;
/** In the time between two questions. */
const quietEventsMax = 100;

export const createRest = () => {
  let lastWork = 0;
  let restedAt = 0;
  return (work: number): boolean => {
    const isQuiet = work - lastWork <= quietEventsMax;
    lastWork = work;
    if (!isQuiet || work - restedAt < restAfterEvents) return false;
    restedAt = work;
    return true;
  };
};
