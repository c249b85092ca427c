-- Two indexes fewer under the tables that nearly every event writes, and two facts about a site that stand in for them.
-- A ledger of before would not keep these facts, so it is kept from writing.

-- Whatever a slice has written is seen whole or comes after this: the facts are read from it below.
lock table site, journal, stock;

-- With the item before the location the key also finds one item in each of many sites. The index of 003, which was for
-- that, took a quarter of what a change of stock costs and had no other reader.
alter table stock
  drop constraint stock_pkey,
  add constraint stock_pkey primary key (site_id, item_id, location);
drop index stock_item;
-- Every statement by which a ledger of before changes stock names this column: it stops there and says so.
alter table stock rename column delta_from to earliest_delta_at;

alter table site
  add column last_count_at timestamptz,
  add column day_lag int4 not null default 1;
comment on column site.last_count_at is 'Event time of the site''s latest count of any location or item; null when nothing was ever counted. A change of stock after it needs no look at the counts.';
comment on column site.day_lag is 'No event that changes the site''s stock has an event time whose UTC day is more than so many days after its business day. A count need not look for later events in business days before its own day less this.';

-- A training slip does nothing, whatever its lines say they would bring back.
create or replace function stock_delta(kind int2, quantity int8, delta int8) returns int8
language sql immutable parallel safe as $$
  select case when kind in (1, 2) then coalesce(delta, -quantity) when kind = 5 then coalesce(delta, quantity) else 0 end
$$;

update site s set last_count_at = counted.at
from (
  select site_id, max(count_at) as at
  from (select site_id, count_at from stock union all select site_id, count_at from full_count) each_count
  group by site_id) counted
where counted.site_id = s.site_id;

-- Kinds 1, 2 and 5, slips, voids and movements, are those that change stock.
update site s set day_lag = greatest(1, late.days)
from (
  select site_id, max((at at time zone 'UTC')::date - business_day) as days
  from journal where kind in (1, 2, 5) group by site_id) late
where late.site_id = s.site_id;

-- Only counts read by it, to add up what came after them; the journal's key finds that in the days that day_lag leaves.
drop index journal_site_at;
