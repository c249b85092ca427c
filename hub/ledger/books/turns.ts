/**
 * Serialises a step of slices that are under way at the same time. Parsing is the longest that a slice keeps this process
 * busy; unserialised, all slices were parsed first and then all waited for the database, which idled a processor for a
 * third of the time.
 */
export type Turns = {
  /** Resolves when it is the caller's turn, which lasts until it calls the returned function. */
  take(): Promise<() => void>;
};

export const createTurns = (): Turns => {
  let last: Promise<void> = Promise.resolve();
  return {
    take: async () => {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      return resolve;
    },
  };
};
