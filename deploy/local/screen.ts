/** A block of lines that stays at the bottom of a terminal, with messages scrolling above it. */
export type Screen = {
  isTerminal: boolean;
  say(line: string): void;
  draw(lines: string[]): void;
  /** Leaves the block in place; later output goes below it. */
  release(): void;
};

export const createScreen = (out: NodeJS.WriteStream): Screen => {
  let drawn: string[] = [];
  const erase = () => (drawn.length === 0 ? '' : `\x1b[${drawn.length}A\x1b[J`);
  // A wrapped line takes two rows, of which the next redraw would erase one.
  const cut = (line: string) => line.slice(0, Math.max(20, (out.columns ?? 80) - 1));
  const paint = (lines: string[]) => lines.map((line) => `${cut(line)}\n`).join('');
  return {
    isTerminal: out.isTTY === true,
    say: (line) => void out.write(`${erase()}${line}\n${paint(drawn)}`),
    draw: (lines) => {
      // A block taller than the window would scroll away at each redraw.
      const fitting = lines.slice(0, Math.max(4, (out.rows ?? 24) - 1));
      out.write(erase() + paint(fitting));
      drawn = fitting;
    },
    release: () => {
      drawn = [];
    },
  };
};
