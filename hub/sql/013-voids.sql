-- Late voids were counted as late sales, so that a window of voids alone had fewer than no sales on time.

alter table correction add column voids int8 not null default 0;
comment on column correction.voids is 'Late voids. Rows from before 013 count them in transactions.';

-- Sums of before are corrected day by day after this file, each day in a transaction of its own, because the journal is large:
-- see hub/postgres/correct-late-voids.ts, which deletes the days that it has corrected, and then the table. The days are found by
-- the journal's key, one step for each.
create table late_void_day (business_day date primary key);
comment on table late_void_day is 'Business days whose late voids are still counted as late transactions. The ledger does not start before all are corrected.';
insert into late_void_day
with recursive day as (
  select min(business_day) as business_day from journal
  union all
  select (select min(business_day) from journal where business_day > day.business_day) from day where business_day is not null)
select business_day from day where business_day is not null;

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
