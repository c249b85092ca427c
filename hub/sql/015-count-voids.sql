-- A person can take back a count, with a reason: one of a wrong time would otherwise decide its items' stock for good.

create table stock_count (
  site_id int4 not null,
  event_id text collate "C" not null,
  location text collate "C" not null,
  at timestamptz not null,
  full_location bool not null,
  business_day date not null,
  suspect bool not null,
  voided bool not null default false,
  primary key (site_id, event_id)
);
create index stock_count_at on stock_count (site_id, at);
create index stock_count_suspect on stock_count (site_id) where suspect;
comment on table stock_count is 'Every count in the journal. Stock is what the latest one says that is not voided, and what changed after it.';
comment on column stock_count.suspect is 'The count stated a time in the future of its record.';

-- Counts of before, found by the keys of stock events: the journal is not read as a whole, and nothing is locked.
set local enable_seqscan = off;
set local enable_hashjoin = off;
set local enable_mergejoin = off;
insert into stock_count
select j.site_id, j.event_id, j.location, j.at, j.kind = 7, j.business_day,
  (j.flags & 8) <> 0 or j.at > j.recorded_at + interval '5 minutes', false
from stock_event e join journal j on (j.business_day, j.site_id, j.event_id) = (e.business_day, e.site_id, e.event_id)
where j.kind in (6, 7);
reset enable_seqscan;
reset enable_hashjoin;
reset enable_mergejoin;

-- A sale or movement that states a time in the future of its record happened before it was recorded: by its own time it would
-- follow every count for good, and be taken off each of them again.
create function stock_at(at timestamptz, flags int4, recorded_at timestamptz) returns timestamptz
language sql immutable parallel safe as $$
  select case when flags & 8 <> 0 then least(at, recorded_at) else at end
$$;

create table count_void (
  count_void_id int8 generated always as identity primary key,
  site_id int4 not null,
  event_id text collate "C" not null,
  voided bool not null,
  reason text not null,
  asked_at timestamptz not null default now(),
  applied_at timestamptz
);
create index count_void_count on count_void (site_id, event_id, count_void_id);
create index count_void_open on count_void (count_void_id) where applied_at is null;
comment on table count_void is 'What people decided about counts, in order: to void one, or to restore it. The last decision holds; none is deleted.';
comment on column count_void.applied_at is 'When the ledger had computed the stock anew.';

do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant select, insert, update on stock_count, count_void to branchline_hub;
    grant delete on full_count to branchline_hub;
  end if;
  if exists (select from pg_roles where rolname = 'branchline_reports') then
    grant select on stock_count, count_void to branchline_reports;
    grant insert on count_void to branchline_reports;
  end if;
end
$$;
