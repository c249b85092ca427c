import { minorDigitsOf } from '@branchline/contracts/currency.ts';

/** Figures for people: in the language of the viewer's browser and in the viewer's time zone. */

const number = new Intl.NumberFormat();
const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 });
const signedDecimal = new Intl.NumberFormat(undefined, {
  maximumFractionDigits: 3,
  signDisplay: 'exceptZero',
});
const oneDigit = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const seconds = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

export const viewerZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

const moneyFormats = new Map<
  string,
  { plain: Intl.NumberFormat; signed: Intl.NumberFormat; scale: number }
>();
const moneyFormat = (currency: string) => {
  const known = moneyFormats.get(currency);
  if (known !== undefined) return known;
  // Not Intl's own digits: for 16 currencies they follow habit, not ISO 4217, which says what a till's minor unit is.
  const digits = minorDigitsOf(currency) ?? 2;
  const style = {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  } as const;
  const plain = new Intl.NumberFormat(undefined, style);
  const signed = new Intl.NumberFormat(undefined, { ...style, signDisplay: 'exceptZero' });
  const made = { plain, signed, scale: 10 ** digits };
  moneyFormats.set(currency, made);
  return made;
};

/** Minor units of `currency`, as many of them to the unit as the currency has. */
export const money = (minor: number, currency: string): string => {
  const { plain, scale } = moneyFormat(currency);
  return plain.format(minor / scale);
};
export const signedMoney = (minor: number, currency: string): string => {
  const { signed, scale } = moneyFormat(currency);
  return signed.format(minor / scale);
};
/** In units of the currency, for an axis. */
export const inUnits = (minor: number, currency: string): number => minor / moneyFormat(currency).scale;

export const count = (value: number): string => number.format(value);
export const quantity = (text: string): string => decimal.format(Number(text));
export const signedQuantity = (text: string): string => signedDecimal.format(Number(text));
export const rate = (perSecond: number | null): string =>
  perSecond === null ? '–' : `${oneDigit.format(perSecond)}/s`;

/** `12 s`, `4 min`, `3 h 05 min`, `2 d 4 h`: two units at most, because nobody acts on the third. */
export const duration = (secondsLong: number): string => {
  const whole = Math.max(0, Math.round(secondsLong));
  if (whole < 90) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
};

/** For a cell with room for four characters: `12s`, `4m`, `3h`, `2d`. */
export const shortDuration = (secondsLong: number): string => {
  const whole = Math.max(0, Math.round(secondsLong));
  if (whole < 100) return `${whole}s`;
  if (whole < 100 * 60) return `${Math.round(whole / 60)}m`;
  if (whole < 48 * 3_600) return `${Math.round(whole / 3_600)}h`;
  return `${Math.round(whole / 86_400)}d`;
};

type Instant = string | number;
const ms = (at: Instant): number => (typeof at === 'number' ? at : Date.parse(at));

export const clock = (at: Instant): string => time.format(ms(at));
export const clockSeconds = (at: Instant): string => seconds.format(ms(at));
export const weekdayClock = (at: Instant): string => `${weekday.format(ms(at))} ${time.format(ms(at))}`;
/** `Mon 14:05–14:10` */
export const span = (start: Instant, end: Instant): string => `${weekdayClock(start)}–${clock(end)}`;
/** `Nov 9, 2026 14:05–14:10`, for when a weekday does not tell which week. */
export const datedSpan = (start: Instant, end: Instant): string =>
  `${date.format(ms(start))} ${clock(start)}–${clock(end)}`;
export const moment = (at: Instant): string => `${date.format(ms(at))} ${seconds.format(ms(at))}`;
