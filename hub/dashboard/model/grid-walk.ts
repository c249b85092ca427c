/** Keyboard navigation in a grid of `many` cells. Undefined: another key. */
export type Grid = { many: number; columns: number; rowsOnPage: number };

export const walk = (key: string, from: number, { many, columns, rowsOnPage }: Grid): number | undefined => {
  if (many === 0) return undefined;
  const last = many - 1;
  const within = (to: number): number => Math.min(last, Math.max(0, to));
  const rowStart = from - (from % columns);
  switch (key) {
    case 'ArrowRight':
      return within(from + 1);
    case 'ArrowLeft':
      return within(from - 1);
    case 'ArrowDown':
      return from + columns > last ? from : from + columns;
    case 'ArrowUp':
      return from - columns < 0 ? from : from - columns;
    case 'PageDown':
      return within(from + columns * rowsOnPage);
    case 'PageUp':
      return within(from - columns * rowsOnPage);
    case 'Home':
      return rowStart;
    case 'End':
      return within(rowStart + columns - 1);
    default:
      return undefined;
  }
};
