/** A till's day-end report compared with the books, in figures and as a sentence. */
export type DayFigures = { transactions: number; voids: number; gross: number };

export type TillDay = {
  site: string;
  businessDay: string;
  workstation: string;
  stated: DayFigures | null;
  /** A day-end report states neither rounding nor what is not sales, so these two are not compared. */
  books: DayFigures & { rounding: number; notSales: number };
  gaps: number;
  /** Voids of the day that take back a sale which is not in the books, or a second time. */
  suspectVoids: number;
};

export type ReconciliationState = 'equal' | 'differs' | 'open';

export const stateOf = ({ stated, books }: TillDay): ReconciliationState => {
  if (stated === null) return 'open';
  const same =
    stated.transactions === books.transactions &&
    stated.voids === books.voids &&
    stated.gross === books.gross;
  return same ? 'equal' : 'differs';
};

const grouped = new Intl.NumberFormat('en-GB');
const counted = (n: number, one: string): string => `${grouped.format(n)} ${one}${n === 1 ? '' : 's'}`;

const totalsText = (stated: DayFigures, books: DayFigures): string => {
  const differences = [
    books.voids === stated.voids
      ? []
      : [`${grouped.format(books.voids)} of ${counted(stated.voids, 'void')}`],
    books.gross === stated.gross
      ? []
      : [`totals differ by ${grouped.format(books.gross - stated.gross)} minor units`],
  ].flat();
  return differences.length === 0 ? 'totals equal' : differences.join(', ');
};

/** `store-0117 till-1, 2026-11-22: 1,204 of 1,204 transactions, 0 gaps, totals equal` */
export const textOf = (day: TillDay): string => {
  const { site, workstation, businessDay, stated, books } = day;
  const gaps = counted(day.gaps, 'gap');
  const found =
    stated === null
      ? `${counted(books.transactions, 'transaction')} in the books, ${gaps}, no day-end report yet`
      : `${grouped.format(books.transactions)} of ${counted(stated.transactions, 'transaction')}, ${gaps}, ${totalsText(stated, books)}`;
  const voids = day.suspectVoids === 0 ? '' : `, ${counted(day.suspectVoids, 'void')} to check`;
  return `${site} ${workstation}, ${businessDay}: ${found}${voids}`;
};
