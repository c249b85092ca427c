import type pg from 'pg';
import { dates, int4s, texts, timestamps } from '../../../postgres/columns.ts';
import type { Booked } from '../booked.ts';

/** Keeps which sales voids take back; `void_check` compares them with the journal, in whatever order they arrived. */
export const keepVoids = async (client: pg.ClientBase, voids: readonly Booked[]): Promise<void> => {
  if (voids.length === 0) return;
  const rows = voids.flatMap(({ siteId, entry }) => entry.voided.map((sale) => ({ siteId, entry, sale })));
  await client.query({
    name: 'keep-voids',
    text: `
      insert into void_reference (site_id, business_day, event_id, at, voided_day, voided_id)
      select * from unnest($1::int4[], $2::date[], $3::text[], $4::timestamptz[], $5::date[], $6::text[])
      on conflict do nothing`,
    values: [
      int4s(rows.map(({ siteId }) => siteId)),
      dates(rows.map(({ entry }) => entry.businessDay)),
      texts(rows.map(({ entry }) => entry.eventId)),
      timestamps(rows.map(({ entry }) => entry.at)),
      dates(rows.map(({ sale }) => sale.businessDay)),
      texts(rows.map(({ sale }) => sale.eventId)),
    ],
  });
};
