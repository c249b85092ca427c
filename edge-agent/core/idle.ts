/**
 * Tells when to tidy up: after much work, once there is little. `work` is a counter that only grows, in events. The answer
 * is yes at most once per `busyEventsMin`, so that the pause that tidying costs is spread over that many.
 */
export const busyEventsMin = 10_000;
/** Between two questions. */
const idleEventsMax = 100;

export const createIdleCheck = () => {
  let lastWork = 0;
  let tidiedAt = 0;
  return (work: number): boolean => {
    const isIdle = work - lastWork <= idleEventsMax;
    lastWork = work;
    if (!isIdle || work - tidiedAt < busyEventsMin) return false;
    tidiedAt = work;
    return true;
  };
};
