import { limits } from './limits.ts';

/**
 * Strict RFC 3339 instants and business days. A date that does not exist is refused, where `Date` would silently turn
 * 30 February into 2 March; so is a time without an offset, because it names no instant. Parsed character by character,
 * because every event carries several and a regular expression takes five times as long.
 */

const daysInMonth = (year: number, month: number): number => {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

/** The two-digit number at `start`; -1 if it is none. */
const twoDigits = (text: string, start: number): number => {
  const tens = text.charCodeAt(start) - 48;
  const ones = text.charCodeAt(start + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
};

/** The number of `length` digits at `start`; NaN if it is none. */
const digits = (text: string, start: number, length: number): number => {
  let value = 0;
  for (let i = start; i < start + length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
};

const hyphen = 45;
const colon = 58;

/** Days since 1970 of the `YYYY-MM-DD` at the start of the text; NaN if there is no such day. */
const dayAtStart = (text: string): number => {
  const century = twoDigits(text, 0);
  const yearOfCentury = twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (text.charCodeAt(4) !== hyphen || text.charCodeAt(7) !== hyphen) return Number.NaN;
  if (century < 0 || yearOfCentury < 0) return Number.NaN;
  const year = century * 100 + yearOfCentury;
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)))
    return Number.NaN;
  // Days from civil: years begin in March, so that the leap day is the last one. Source: H. Hinnant,
  // "chrono-Compatible Low-Level Date Algorithms", 2021.
  const y = month > 2 ? year : year - 1;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
};

let lastDay = '';
let lastDayNumber = Number.NaN;

/** Days since 1970 of `YYYY-MM-DD`; NaN if there is no such day. Remembers the last one, because most calls repeat it. */
export const dayNumber = (day: string): number => {
  if (day === lastDay) return lastDayNumber;
  lastDayNumber = dayAtStart(day);
  lastDay = day;
  return lastDayNumber;
};

/** `at` is in milliseconds since 1970 UTC; `offsetMinutes` east of UTC is what the site wrote. */
export type Instant = { at: number; offsetMinutes: number };

/** Milliseconds of the fraction after the point at 19; digits beyond the third are truncated. */
const fractionMs = (text: string, end: number): number => {
  const length = end - 20;
  if (length < 1 || length > 9) return Number.NaN;
  if (Number.isNaN(digits(text, 20, length))) return Number.NaN;
  return length >= 3 ? digits(text, 20, 3) : digits(text, 20, length) * 10 ** (3 - length);
};

/** Minutes east of UTC of `Z` or `±hh:mm` at `start`; NaN if it is neither or does not end the text. */
const offsetAt = (text: string, start: number): number => {
  if (text.charCodeAt(start) === 90) return text.length === start + 1 ? 0 : Number.NaN;
  if (text.length !== start + 6 || text.charCodeAt(start + 3) !== colon) return Number.NaN;
  const hours = twoDigits(text, start + 1);
  const minutes = twoDigits(text, start + 4);
  if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) return Number.NaN;
  const sign = text.charCodeAt(start);
  if (sign !== hyphen && sign !== 43) return Number.NaN;
  return sign === hyphen ? -(hours * 60 + minutes) : hours * 60 + minutes;
};

/**
 * Undefined when the text is not a strict RFC 3339 date-time with an offset. A leap second (`:60`) is refused: no till
 * makes one and PostgreSQL would move it into the next minute. So is a time whose offset leads out of the years 1 to 9999.
 */
const instantOf = (text: string): Instant | undefined => {
  if (text.length < 20 || text.length > 35 || text.charCodeAt(10) !== 84) return undefined;
  if (text.charCodeAt(13) !== colon || text.charCodeAt(16) !== colon) return undefined;
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return undefined;
  let zone = 19;
  let milliseconds = 0;
  if (text.charCodeAt(19) === 46) {
    zone = 20;
    while (text.charCodeAt(zone) >= 48 && text.charCodeAt(zone) <= 57) zone++;
    milliseconds = fractionMs(text, zone);
  }
  const offsetMinutes = offsetAt(text, zone);
  const at =
    ((dayAtStart(text) * 24 + hour) * 60 + minute - offsetMinutes) * 60_000 + second * 1_000 + milliseconds;
  // False for NaN too.
  return at >= limits.instantMsMin && at <= limits.instantMsMax ? { at, offsetMinutes } : undefined;
};

let lastText = '';
let lastInstant: Instant | undefined;

/** Remembers the last text: most transactions end at their `time`, and the ledger parses `time` once more. */
export const parseInstant = (text: string): Instant | undefined => {
  if (text === lastText) return lastInstant;
  lastInstant = instantOf(text);
  lastText = text;
  return lastInstant;
};

export const isInstant = (text: string): boolean => parseInstant(text) !== undefined;

/** Whether it is `YYYY-MM-DD` of a day that exists. */
export const isDay = (text: string): boolean => text.length === 10 && !Number.isNaN(dayNumber(text));
