-- The books. One row of `journal` per event; everything else is either the memory that makes applying idempotent or a
-- total that can be computed again from the journal. Amounts are minor units, quantities thousandths, times instants.

create table setting (
  key text primary key,
  value text not null
);
comment on table setting is 'What must not change between two starts of the hub, such as the length of an interval.';

create table site (
  site_id int4 generated always as identity primary key,
  name text collate "C" not null unique
);
comment on table site is 'Names of stores and warehouses, numbered once so that the large tables stay narrow.';

create table item (
  item_id int4 generated always as identity primary key,
  name text collate "C" not null unique
);
comment on table item is 'Names of items: the retailer''s own number, or the GTIN where there is none.';

create table ingest_offset (
  topic text not null,
  part int4 not null,
  next_offset int8 not null,
  cluster_id text not null,
  read_to timestamptz not null default '-infinity',
  primary key (topic, part)
);
comment on table ingest_offset is 'Where reading goes on in each Kafka partition. The authority; the broker''s commits are advisory.';
comment on column ingest_offset.cluster_id is 'Offsets belong to one incarnation of a topic: another cluster id starts over at its earliest offset.';
comment on column ingest_offset.read_to is 'Everything that Kafka recorded up to this moment (broker''s clock) has been read.';

create table source (
  source_id int4 generated always as identity primary key,
  site_id int4 not null references site,
  agent text collate "C" not null,
  stream text collate "C" not null,
  epoch uuid not null,
  topic text,
  part int4,
  seen int8multirange not null default '{}',
  applied int8 not null default 0,
  redelivered int8 not null default 0,
  repeated int8 not null default 0,
  conflicting int8 not null default 0,
  quarantined int8 not null default 0,
  deadlettered int8 not null default 0,
  reported_highest int8 not null default 0,
  reported_at timestamptz,
  opened_at timestamptz not null default now(),
  unique (site_id, agent, stream, epoch)
) with (fillfactor = 50);
comment on table source is 'The whole memory of the deduplication: which seqs of each (source, epoch) are taken, for ever.';
comment on column source.seen is 'Seqs taken, whatever became of them. One range when nothing is missing.';
comment on column source.redelivered is 'Deliveries of a seq that was taken before.';
comment on column source.repeated is 'New seqs whose event id and content were in the books already.';

create table journal (
  business_day date not null,
  site_id int4 not null,
  event_id text collate "C" not null,
  kind int2 not null,
  at timestamptz not null,
  offset_minutes int2 not null,
  source_id int4 not null,
  seq int8 not null,
  location text collate "C" not null,
  currency text collate "C" not null,
  gross int8 not null,
  lines int4 not null,
  units int8 not null,
  items int4[] not null,
  quantities int8[] not null,
  amounts int8[] not null,
  deltas int8[],
  flags int4 not null,
  content int8 not null,
  recorded_at timestamptz not null,
  primary key (business_day, site_id, event_id)
) partition by range (business_day);
create index journal_site_at on journal (site_id, at);
comment on table journal is 'One row per event in the books. The primary key is the till''s own: an id occurs once per site and business day.';
comment on column journal.kind is '1 completed slip, 2 void, 3 aborted slip, 4 training slip, 5 stock movement, 6 count of listed items, 7 full count of a location.';
comment on column journal.deltas is 'What the event does to stock, per line. Null means the kind''s rule: a slip takes its quantities off, a movement adds them, all other kinds do nothing.';
comment on column journal.content is 'First 8 bytes of the SHA-256 of what the till sent: tells a repetition from a conflict.';
comment on column journal.recorded_at is 'Kafka''s time of the record, not the hub''s.';

-- A month of the journal is made when its first event comes. Days far from the present share one partition, so that a
-- till with a broken clock cannot make thousands of tables.
create table journal_other partition of journal default;

create function ensure_journal_month(day date) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  first date := date_trunc('month', day)::date;
  name text := format('journal_%s', to_char(first, 'YYYY_MM'));
begin
  if first < date '2000-01-01' or first > now() + interval '1 year' then return; end if;
  if to_regclass('public.' || name) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtext('ensure_journal_month'));
  if to_regclass('public.' || name) is not null then return; end if;
  execute format('create table %I partition of journal for values from (%L) to (%L)', name, first, (first + interval '1 month')::date);
exception
  -- Rows of this month came while it was still far away and lie in journal_other; they can stay there.
  when check_violation then return;
end
$$;
revoke all on function ensure_journal_month from public;

create function stock_delta(kind int2, quantity int8, delta int8) returns int8
language sql immutable parallel safe as $$
  select coalesce(delta, case when kind in (1, 2) then -quantity when kind = 5 then quantity else 0 end)
$$;

create view slip as
  select business_day, site_id, split_part(event_id, ':', 1) as workstation, split_part(event_id, ':', 3)::int8 as sequence_number,
         kind, at, offset_minutes, currency, gross, lines, units, flags, recorded_at, source_id, seq
  from journal where kind between 1 and 4;
comment on view slip is 'The journal''s slips: completed, voided, aborted and training.';

create table sales_window (
  site_id int4 not null,
  window_start timestamptz not null,
  currency text collate "C" not null,
  slips int8 not null,
  voids int8 not null,
  lines int8 not null,
  units int8 not null,
  gross int8 not null,
  late_slips int8 not null,
  late_gross int8 not null,
  revision int4 not null default 1,
  changed_at timestamptz not null default now(),
  primary key (site_id, window_start, currency)
) with (fillfactor = 70);
comment on table sales_window is 'Sales per site and interval of event time. No window ever closes: late events change it and raise its revision.';
comment on column sales_window.late_gross is 'The part of gross that was recorded more than one interval after the window''s end.';

create table item_day (
  site_id int4 not null,
  business_day date not null,
  item_id int4 not null,
  currency text collate "C" not null,
  lines int8 not null,
  units int8 not null,
  amount int8 not null,
  changed_at timestamptz not null default now(),
  primary key (site_id, business_day, item_id, currency)
) with (fillfactor = 70);
comment on table item_day is 'Sales per site, item and the site''s own business day.';

create table stock (
  site_id int4 not null,
  location text collate "C" not null,
  item_id int4 not null,
  count_at timestamptz,
  count_key text collate "C",
  count_quantity int8 not null default 0,
  delta_since int8 not null default 0,
  changed_at timestamptz not null default now(),
  primary key (site_id, location, item_id)
) with (fillfactor = 70);
comment on table stock is 'On hand = count_quantity + delta_since: a pure function of the events, whatever order they came in.';
comment on column stock.count_key is 'Breaks a tie between counts of the same instant: the event id.';

create table full_count (
  site_id int4 not null,
  location text collate "C" not null,
  count_at timestamptz not null,
  count_key text collate "C" not null,
  primary key (site_id, location)
);
comment on table full_count is 'The latest count of a whole location: every item it does not list was zero then, also items that appear later.';

create table quarantine (
  quarantine_id int8 generated always as identity primary key,
  received_at timestamptz not null default now(),
  topic text not null,
  part int4 not null,
  off int8 not null,
  source_id int4 references source,
  first_seq int8,
  last_seq int8,
  reason text not null,
  detail text not null,
  raw bytea not null,
  state text not null default 'held' check (state in ('held', 'applied', 'dismissed')),
  settled_at timestamptz
);
create index quarantine_held on quarantine (reason) where state = 'held';
comment on table quarantine is 'What could not be applied, with its bytes: it can be inspected and applied again.';

create table conflict (
  conflict_id int8 generated always as identity primary key,
  received_at timestamptz not null default now(),
  business_day date not null,
  site_id int4 not null,
  event_id text not null,
  source_id int4 not null,
  seq int8 not null,
  raw bytea not null
);
comment on table conflict is 'Events whose id was in the books with other content. The first stays in the books, the other one here.';
