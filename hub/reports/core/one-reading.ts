/**
 * One reading for many queries. A query that needs the newest value waits for it; any other is answered with the last one while
 * the next is being read, unless that is too old: with thousands of sites a reading takes longer than a person should wait for
 * each answer.
 */
export type SharedReading<T> = {
  /** At most `freshMs` old. */
  fresh(): Promise<T>;
  /** At most `usableMs` old. */
  usable(): Promise<T>;
  /** From now on no answer comes from an earlier reading. */
  forget(): void;
};

/** A reading's age counts from its start. */
type Begun<T> = { since: number; value: Promise<T> };

export const shareReading = <T>(ports: {
  read(): Promise<T>;
  monotonic(): number;
  freshMs: number;
  usableMs: number;
}): SharedReading<T> => {
  let newest: Begun<T> | undefined;
  let last: Begun<T> | undefined;

  const begin = (since: number): Begun<T> => {
    const begun = { since, value: ports.read() };
    newest = begun;
    begun.value.then(
      () => {
        if (newest === begun) last = begun;
      },
      () => {
        if (newest === begun) newest = last;
      },
    );
    return begun;
  };
  /** The newest reading, finished or in progress, or a new one. Never two at once: they would slow a slow database further. */
  const freshest = (): Begun<T> => {
    const now = ports.monotonic();
    const isUnderWay = newest !== undefined && newest !== last && ports.freshMs > 0;
    if (newest !== undefined && (isUnderWay || now - newest.since < ports.freshMs)) return newest;
    return begin(now);
  };

  return {
    fresh: () => freshest().value,
    usable: () => {
      const next = freshest();
      return last !== undefined && ports.monotonic() - last.since < ports.usableMs ? last.value : next.value;
    },
    forget: () => {
      newest = undefined;
      last = undefined;
    },
  };
};
