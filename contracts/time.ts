/**
 * RFC 3339 instants and business days, read strictly: a date that does not exist is refused, where `Date` would quietly
 * turn 30 February into 2 March, and a time without an offset is refused, because nobody can say which instant it is.
 */

const instantPattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;
const dayPattern = /^(\d{4})-(\d\d)-(\d\d)$/;

const daysInMonth = (year: number, month: number): number => {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

const isDate = (year: number, month: number, day: number): boolean =>
  year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);

/** `at` in milliseconds since 1970 UTC; `offsetMinutes` east of UTC, as the site wrote it. */
export type Instant = { at: number; offsetMinutes: number };

/**
 * Undefined when the text is not a strict RFC 3339 date-time with an offset. A leap second (`:60`) is refused: no till
 * makes one and PostgreSQL would move it into the next minute.
 */
export const parseInstant = (text: string): Instant | undefined => {
  const m = instantPattern.exec(text);
  if (m === null) return undefined;
  const year = Number(m[1]);
  const month = Number(m[2]);
  const day = Number(m[3]);
  const hour = Number(m[4]);
  const minute = Number(m[5]);
  const second = Number(m[6]);
  if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  const zone = m[8] as string;
  let offsetMinutes = 0;
  if (zone !== 'Z') {
    const hours = Number(zone.slice(1, 3));
    const minutes = Number(zone.slice(4, 6));
    if (hours > 18 || minutes > 59) return undefined;
    offsetMinutes = (hours * 60 + minutes) * (zone.charCodeAt(0) === 45 ? -1 : 1);
  }
  const milliseconds = m[7] === undefined ? 0 : Number(m[7].padEnd(3, '0').slice(0, 3));
  // Date.UTC reads the years 0 … 99 as 1900 … 1999; setUTCFullYear does not.
  const utc = new Date(Date.UTC(2000, month - 1, day, hour, minute, second, milliseconds));
  utc.setUTCFullYear(year, month - 1, day);
  return { at: utc.getTime() - offsetMinutes * 60_000, offsetMinutes };
};

export const isInstant = (text: string): boolean => parseInstant(text) !== undefined;

/** `YYYY-MM-DD`, a day that exists. */
export const isDay = (text: string): boolean => {
  const m = dayPattern.exec(text);
  return m !== null && isDate(Number(m[1]), Number(m[2]), Number(m[3]));
};
