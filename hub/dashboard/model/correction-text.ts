import type { Correction } from '../../reports/contract.ts';
import { datedSpan, duration, signedMoney, signedQuantity, span } from './figures.ts';

/** From this age on a weekday would be ambiguous. */
const weekdaySeconds = 6 * 86_400;

/** `Mon 14:05–14:10 store-0214: +37 units, +€123.45, 5 h late`, in the pieces that the page sets apart. */
export const correctionTexts = (one: Correction) => ({
  when: (one.lateSeconds < weekdaySeconds ? span : datedSpan)(one.start, one.end),
  site: one.site,
  what: `${signedQuantity(one.units)} ${Math.abs(Number(one.units)) === 1 ? 'unit' : 'units'}, ${signedMoney(one.gross, one.currency)}`,
  late: `${duration(one.lateSeconds)} late`,
});
