-- Late voids were counted as late sales, so that a window of voids alone had fewer than no sales on time.

alter table correction add column voids int8 not null default 0;
comment on column correction.voids is 'Late voids. Rows from before 013 count them in transactions.';

lock table sales_window, site_hour, chain_window, journal;

create temporary table late_void on commit drop as
  select site_id, window_start, currency, count(*) as voids
  from (
    select j.site_id, j.currency, j.recorded_at, step, date_bin(step, j.at, timestamptz '1970-01-01T00:00:00Z') as window_start
    from journal j, (select value::int4 * interval '1 minute' as step from setting where key = 'interval_minutes') s
    where j.kind = 2) void
  where recorded_at > window_start + 2 * step
  group by site_id, window_start, currency;

update sales_window w set late_transactions = w.late_transactions - v.voids
from late_void v where (v.site_id, v.window_start, v.currency) = (w.site_id, w.window_start, w.currency);

update site_hour h set late_transactions = h.late_transactions - v.voids
from (
  select site_id, date_bin('1 hour', window_start, timestamptz '1970-01-01T00:00:00Z') as hour_start, currency, sum(voids) as voids
  from late_void group by 1, 2, 3) v
where (v.site_id, v.hour_start, v.currency) = (h.site_id, h.hour_start, h.currency);

-- Which partition a void came from is not in the journal; readers see the sum over partitions only.
update chain_window c set late_transactions = c.late_transactions - v.voids
from (select window_start, currency, sum(voids) as voids from late_void group by 1, 2) v
where (v.window_start, v.currency) = (c.window_start, c.currency)
  and c.partition = (
    select min(o.partition) from chain_window o where (o.window_start, o.currency) = (c.window_start, c.currency));

-- Which sale each void takes back. Whether that sale is there, and was not taken back before, is asked of the journal when
-- somebody reads: so the answer does not depend on what arrived first.

create table void_reference (
  site_id int4 not null,
  business_day date not null,
  event_id text collate "C" not null,
  at timestamptz not null,
  voided_day date not null,
  voided_id text collate "C" not null,
  primary key (business_day, site_id, event_id, voided_day, voided_id)
);
create index void_reference_voided on void_reference (site_id, voided_day, voided_id);
comment on table void_reference is 'One row per sale that a void takes back, by the key of each in the journal. Voids from before 013 are not in it.';

create view void_check as
  select v.*, case
    when j.kind is null then 'unknown-sale'
    when j.kind = 4 then 'training-sale'
    when j.kind <> 1 then 'not-a-sale'
    when exists (
      select from void_reference o
      where (o.site_id, o.voided_day, o.voided_id) = (v.site_id, v.voided_day, v.voided_id)
        and (o.at, o.business_day, o.event_id) < (v.at, v.business_day, v.event_id)) then 'voided-before'
    end as flag
  from void_reference v
    left join journal j on (j.business_day, j.site_id, j.event_id) = (v.voided_day, v.site_id, v.voided_id);
comment on view void_check is 'Each void with what is wrong about it, or null. The void stays in the books: the till printed it.';

do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant select, insert, update, delete on void_reference to branchline_hub;
    grant select on void_check to branchline_hub;
  end if;
  if exists (select from pg_roles where rolname = 'branchline_reports') then
    grant select on void_reference, void_check to branchline_reports;
  end if;
end
$$;
