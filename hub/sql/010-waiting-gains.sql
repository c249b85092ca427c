-- What a slice adds to stock and to items by day waits as one row per site, and is merged into the tables of rows later,
-- many slices at a time: a row of them then takes one change where it took one for each slice. Who reads `stock` and
-- `item_day` sees both added up, so nobody sees that anything waits.

-- Whatever a slice has written is seen whole or comes after this.
lock table item_day, stock;

-- A ledger of before would write to a view: it stops there and says so.
alter table stock rename to stock_merged;
alter table item_day rename to item_day_merged;
alter table stock_merged rename constraint stock_pkey to stock_merged_pkey;
alter table item_day_merged rename constraint item_day_pkey to item_day_merged_pkey;
-- Kept up by every change, and read by nobody.
alter table stock_merged drop column earliest_delta_at;

-- Lists are cut so that a row is never too large for a page, and is stored as it is.
create table stock_gain (
  site_id int4 not null,
  location text collate "C" not null,
  items int4[] not null,
  deltas int8[] not null,
  changed_at timestamptz not null default now()
) with (toast_tuple_target = 8160);
create index stock_gain_site on stock_gain (site_id);
comment on table stock_gain is 'Changes of stock that are not merged yet. All of them come after every count of their site: a count merges them first.';

create table item_day_gain (
  site_id int4 not null,
  business_day date not null,
  currency text collate "C" not null,
  items int4[] not null,
  lines int8[] not null,
  units int8[] not null,
  amounts int8[] not null,
  changed_at timestamptz not null default now()
) with (toast_tuple_target = 8160);
create index item_day_gain_site on item_day_gain (site_id);
comment on table item_day_gain is 'Sales of items by day that are not merged yet.';

create view stock as
  select site_id, item_id, location, max(count_at) as count_at, coalesce(max(count_quantity), 0) as count_quantity,
    sum(delta)::int8 as delta_since, max(changed_at) as changed_at
  from (
    select site_id, item_id, location, count_at, count_quantity, delta_since as delta, changed_at from stock_merged
    union all
    -- An item that is not merged yet was still counted as zero by the last full count of its location.
    select g.site_id, l.item_id, g.location, f.count_at, null, l.delta, g.changed_at
    from stock_gain g left join full_count f using (site_id, location), unnest(g.items, g.deltas) as l(item_id, delta)) part
  group by site_id, item_id, location;
comment on view stock is 'Stock on hand = count_quantity + delta_since: a pure function of the events, whatever order they came in.';

create view item_day_part as
  select site_id, business_day, item_id, currency, lines, units, amount, changed_at from item_day_merged
  union all
  select g.site_id, g.business_day, l.item_id, g.currency, l.lines, l.units, l.amount, g.changed_at
  from item_day_gain g, unnest(g.items, g.lines, g.units, g.amounts) as l(item_id, lines, units, amount);
comment on view item_day_part is 'Sales of items by day in parts that are to be summed: what is merged, and what is not yet.';

create view item_day as
  select site_id, business_day, item_id, currency, sum(lines)::int8 as lines, sum(units)::int8 as units,
    sum(amount)::int8 as amount, max(changed_at) as changed_at
  from item_day_part group by site_id, business_day, item_id, currency;
comment on view item_day is 'Sales per site, item and the site''s own business day.';

-- What queries of now may read and write goes by other names from here on; roles that were set up before keep their rights.
do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant select, insert, update, delete on stock_gain, item_day_gain to branchline_hub;
    grant select on stock, item_day, item_day_part to branchline_hub;
  end if;
  if exists (select from pg_roles where rolname = 'branchline_reports') then
    grant select on stock_gain, item_day_gain, stock, item_day, item_day_part to branchline_reports;
  end if;
end
$$;
