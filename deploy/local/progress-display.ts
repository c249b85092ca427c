import type { Screen } from './screen.ts';

/** One progress line: redrawn in place on a terminal, printed every few seconds elsewhere, so that logs stay readable. */
export type ProgressDisplay = {
  show(line: string): void;
  /** Leaves the latest line on the screen. */
  end(): void;
};

const redrawMs = 100;
const lineMs = 5_000;

export const createProgressDisplay = (screen: Screen): ProgressDisplay => {
  const everyMs = screen.isTerminal ? redrawMs : lineMs;
  let latest = '';
  let drawn = '';
  let drawnAt = Number.NEGATIVE_INFINITY;

  const draw = () => {
    if (latest === drawn) return;
    if (screen.isTerminal) screen.draw([latest]);
    else screen.say(latest);
    drawn = latest;
    drawnAt = performance.now();
  };
  return {
    show: (line) => {
      latest = line;
      if (performance.now() - drawnAt >= everyMs) draw();
    },
    end: () => {
      draw();
      screen.release();
    },
  };
};
