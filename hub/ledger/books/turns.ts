/**
 * Serialises one step of concurrent slices. Parsing is the longest CPU-bound step of a slice; unserialised, all slices were
 * parsed first and then all waited for the database, which left a processor idle for a third of the time.
 */
export type Turns = {
  /**
   * Resolves when it is the caller's turn, which lasts until it calls the returned function. Calls `alive` at least every
   * `everyMs` while it waits; rejects, and gives the turn away, when that rejects.
   */
  take(alive: () => Promise<unknown>, everyMs: number): Promise<() => void>;
};

export const createTurns = (): Turns => {
  let last: Promise<void> = Promise.resolve();
  return {
    take: async (alive, everyMs) => {
      const before = last;
      const { promise, resolve: endTurn } = Promise.withResolvers<void>();
      last = promise;
      try {
        while (!(await isResolvedWithin(before, everyMs))) await alive();
      } catch (error) {
        void before.then(endTurn);
        throw error;
      }
      return endTurn;
    },
  };
};

const isResolvedWithin = async (before: Promise<void>, ms: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([before.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
};
