/** One block of lines that stays at the bottom of a terminal, with messages scrolling above it. */
export type Screen = {
  isTerminal: boolean;
  say(line: string): void;
  draw(lines: string[]): void;
  /** Leaves the last block where it is; what follows is written below it. */
  release(): void;
};

export const createScreen = (out: NodeJS.WriteStream): Screen => {
  let drawn: string[] = [];
  const erase = () => (drawn.length === 0 ? '' : `\x1b[${drawn.length}A\x1b[J`);
  // A line that wraps would take two rows, and the next redraw would miss one.
  const cut = (line: string) => line.slice(0, Math.max(20, (out.columns ?? 80) - 1));
  const paint = (lines: string[]) => lines.map((line) => `${cut(line)}\n`).join('');
  return {
    isTerminal: out.isTTY === true,
    say: (line) => void out.write(`${erase()}${line}\n${paint(drawn)}`),
    draw: (lines) => {
      // Within a small window the block would scroll away at each redraw.
      const fitting = lines.slice(0, Math.max(4, (out.rows ?? 24) - 1));
      out.write(erase() + paint(fitting));
      drawn = fitting;
    },
    release: () => {
      drawn = [];
    },
  };
};
