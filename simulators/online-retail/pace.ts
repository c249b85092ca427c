/** The speed of the feed: as fast as the agents accept it, or a multiple of real time. */
export type Speed = 'max' | number;

/** `max`, `3600` or `3600×`. Undefined when it is none of these. */
export const parseSpeed = (text: string): Speed | undefined => {
  if (text === 'max') return 'max';
  const factor = Number(/^(\d+(?:\.\d+)?)[x×]?$/.exec(text)?.[1]);
  return factor > 0 ? factor : undefined;
};

/** Milliseconds after the start of feeding at which an event of time `at` is due. */
export const dueMs = (speed: Speed, firstAt: number, at: number): number =>
  speed === 'max' ? 0 : (at - firstAt) / speed;
