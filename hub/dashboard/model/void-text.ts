import type { VoidRow } from '../../reports/contract.ts';
import { count } from './figures.ts';

/** The newest ones by id; the API lists all. */
const named = 3;

/** Voids with a flag, as one page of the API lists them. */
export const voidsText = (rows: readonly Pick<VoidRow, 'id' | 'flag'>[], hasMore: boolean): string => {
  if (rows.length === 0) return 'none';
  const some = rows.slice(0, named).map(({ id, flag }) => `${id} (${flag?.replaceAll('-', ' ')})`);
  const all = hasMore ? `over ${count(rows.length)}` : count(rows.length);
  return `⚠ ${all}: ${some.join(', ')}${rows.length > named ? ' …' : ''}`;
};
