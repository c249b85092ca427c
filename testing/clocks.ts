/** Zones and moments that break tests which assume whole hours, or days of 24 hours. */
export type ClockCase = { zone: string; at: string; why: string };

export const clocks: readonly ClockCase[] = [
  { zone: 'UTC', at: 'now', why: 'the clock of a server' },
  { zone: 'Asia/Kathmandu', at: '2026-12-31T18:15:00Z', why: 'midnight and New Year at +05:45' },
  { zone: 'Asia/Kolkata', at: '2027-02-28T18:30:00Z', why: 'midnight and the end of February at +05:30' },
  { zone: 'Pacific/Chatham', at: '2027-04-03T14:00:00Z', why: 'at +13:45 an hour comes twice' },
  { zone: 'America/St_Johns', at: '2028-02-29T03:30:00Z', why: '29 February begins at -03:30' },
  { zone: 'Europe/Berlin', at: '2027-03-28T01:00:00Z', why: 'an hour is skipped' },
  { zone: 'America/New_York', at: '2026-11-01T06:00:00Z', why: 'an hour comes twice' },
  { zone: 'Pacific/Kiritimati', at: '2026-12-31T10:00:00Z', why: 'New Year, fourteen hours before UTC' },
];

/**
 * The zone in which `npm test` runs the unit tests: a different one each day, the same for everybody that day. TZ overrides it.
 */
export const zoneOfDay = (now: number): string => {
  const day = Math.floor(now / 86_400_000);
  return (clocks[day % clocks.length] as ClockCase).zone;
};
