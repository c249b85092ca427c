-- Sums of sales_window that reports of the whole chain, and of long spans, read instead of it: a day of 200 sites is 57,600
-- windows, but 2,304 rows of chain_window with eight partitions and 4,800 of site_hour. Written with it, in the same transaction.

create table chain_window (
  window_start timestamptz not null,
  currency text collate "C" not null,
  part int4 not null,
  slips int8 not null,
  voids int8 not null,
  lines int8 not null,
  units int8 not null,
  gross int8 not null,
  late_slips int8 not null,
  late_gross int8 not null,
  revision int8 not null,
  changed_at timestamptz not null default now(),
  primary key (window_start, currency, part)
) with (fillfactor = 70);
comment on table chain_window is 'sales_window summed over sites. One row per Kafka partition, so that slices of different partitions never wait for each other.';
comment on column chain_window.part is 'The partition whose slices add to this row; -1 for what was applied again from the quarantine.';
comment on column chain_window.revision is 'How often windows of the sites were changed, in all.';

create table site_hour (
  site_id int4 not null,
  hour_start timestamptz not null,
  currency text collate "C" not null,
  slips int8 not null,
  voids int8 not null,
  lines int8 not null,
  units int8 not null,
  gross int8 not null,
  late_slips int8 not null,
  late_gross int8 not null,
  revision int8 not null,
  changed_at timestamptz not null default now(),
  primary key (site_id, hour_start, currency)
) with (fillfactor = 70);
comment on table site_hour is 'sales_window summed over the hours of UTC.';
