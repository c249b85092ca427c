/**
 * Serialises one step of concurrent slices. Parsing is the longest CPU-bound step of a slice; unserialised, all slices were
 * parsed first and then all waited for the database, which left a processor idle for a third of the time.
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
