import type pg from 'pg';
import { inTransaction } from '../../postgres/in-transaction.ts';

/** The tables of a site's calendar. Times are HH:MM and days YYYY-MM-DD, both local. */
export type CalendarRow = {
  timeZone: string | null;
  openedOn: string | null;
  closedOn: string | null;
  openingHours: { weekday: number; opens: string; closes: string }[];
  closedDays: string[];
};

export const readCalendar = async (pool: pg.Pool, siteId: number): Promise<CalendarRow> => {
  const [site, hours, days] = await Promise.all([
    pool.query<{ time_zone: string | null; opened_on: string | null; closed_on: string | null }>(
      'select time_zone, opened_on::text, closed_on::text from site where site_id = $1',
      [siteId],
    ),
    pool.query<{ weekday: number; opens: string; closes: string }>(
      `select weekday, to_char(opens, 'HH24:MI') as opens, to_char(closes, 'HH24:MI') as closes
       from opening_hours where site_id = $1 order by weekday, opening_hours.opens`,
      [siteId],
    ),
    pool.query<{ day: string }>('select day::text from closed_day where site_id = $1 order by day', [siteId]),
  ]);
  const [row] = site.rows;
  return {
    timeZone: row?.time_zone ?? null,
    openedOn: row?.opened_on ?? null,
    closedOn: row?.closed_on ?? null,
    openingHours: hours.rows,
    closedDays: days.rows.map(({ day }) => day),
  };
};

/** Replaces the whole calendar of a site, or nothing of it. */
export const writeCalendar = (pool: pg.Pool, siteId: number, calendar: CalendarRow): Promise<void> =>
  inTransaction(pool, async (client) => {
    await client.query('update site set time_zone = $2, opened_on = $3, closed_on = $4 where site_id = $1', [
      siteId,
      calendar.timeZone,
      calendar.openedOn,
      calendar.closedOn,
    ]);
    await client.query('delete from opening_hours where site_id = $1', [siteId]);
    await client.query(
      `insert into opening_hours (site_id, weekday, opens, closes)
       select $1, * from unnest($2::int2[], $3::time[], $4::time[])`,
      [
        siteId,
        calendar.openingHours.map(({ weekday }) => weekday),
        calendar.openingHours.map(({ opens }) => opens),
        calendar.openingHours.map(({ closes }) => closes),
      ],
    );
    await client.query('delete from closed_day where site_id = $1', [siteId]);
    await client.query('insert into closed_day (site_id, day) select $1, * from unnest($2::date[])', [
      siteId,
      calendar.closedDays,
    ]);
  });
