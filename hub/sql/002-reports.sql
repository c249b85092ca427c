-- What reports need beside the books: totals per till and business day, a log of late changes, what agents say of
-- themselves, the sites' calendars, and requests that a person makes of the ledger. Amounts are minor units, quantities
-- thousandths, times instants, as in 001.

alter table site
  add column time_zone text,
  add column opened_on date,
  add column closed_on date,
  add column first_heard_at timestamptz not null default now();
comment on column site.time_zone is 'IANA name; null means the chain''s own, which is the hub''s setting timeZone.';
comment on column site.closed_on is 'The day from which on nothing is expected of the site any more.';

create table opening_hours (
  site_id int4 not null references site,
  weekday int2 not null check (weekday between 1 and 7),
  opens time not null,
  closes time not null,
  primary key (site_id, weekday, opens)
);
comment on table opening_hours is 'Local times; weekday 1 is Monday. A time of closing that is not after the opening is on the next day. A site without any row is always open.';

create table closed_day (
  site_id int4 not null references site,
  day date not null,
  primary key (site_id, day)
);
comment on table closed_day is 'Local days on which the site does not open whatever opening_hours says.';

create table till_day (
  site_id int4 not null,
  business_day date not null,
  workstation text collate "C" not null,
  currency text collate "C" not null,
  slips int8 not null,
  voids int8 not null,
  lines int8 not null,
  units int8 not null,
  gross int8 not null,
  revision int4 not null default 1,
  changed_at timestamptz not null default now(),
  primary key (business_day, site_id, workstation, currency)
) with (fillfactor = 70);
comment on table till_day is 'Sales per till and the site''s own business day: what a till''s day-end report is compared with.';

create table day_report (
  site_id int4 not null,
  business_day date not null,
  workstation text collate "C" not null,
  currency text collate "C" not null,
  report_number int8 not null,
  slips int8 not null,
  voids int8 not null,
  gross int8 not null,
  closed_at timestamptz not null,
  source_id int4 not null,
  seq int8 not null,
  primary key (business_day, site_id, workstation, currency, report_number)
);
comment on table day_report is 'What tills stated at the end of a business day. The highest report_number of a day is the one that counts.';

create table correction (
  correction_id int8 generated always as identity primary key,
  changed_at timestamptz not null default now(),
  site_id int4 not null,
  window_start timestamptz not null,
  currency text collate "C" not null,
  slips int8 not null,
  units int8 not null,
  gross int8 not null,
  late_seconds int8 not null
);
create index correction_changed_at on correction (changed_at);
comment on table correction is 'One row for each time that late events changed a window: what it gained, and how long after its end the last of them was recorded.';

create table agent (
  site_id int4 not null references site,
  name text collate "C" not null,
  said text not null check (said in ('birth', 'alive', 'stopping')),
  session uuid not null,
  version text not null,
  boot_at timestamptz not null,
  heard_at timestamptz not null,
  clock_ahead_ms int8 not null,
  pending int8 not null,
  database_bytes int8 not null,
  oldest_unrecorded_at timestamptz,
  sources int4[] not null,
  primary key (site_id, name)
) with (fillfactor = 50);
comment on table agent is 'The last status of each agent. heard_at is Kafka''s clock, boot_at and oldest_unrecorded_at the agent''s own.';
comment on column agent.clock_ahead_ms is 'The agent''s clock minus Kafka''s when the status was recorded: delivery makes it negative, only a wrong clock makes it large.';
comment on column agent.sources is 'The sources that the status named: those that may still have something to send.';

alter table source
  add column reported_recorded_to int8 not null default 0,
  add column oldest_unrecorded_at timestamptz,
  add column heard_at timestamptz,
  add column complete_to timestamptz;
comment on column source.heard_at is 'When Kafka recorded the status that said reported_highest.';
comment on column source.complete_to is 'Everything that the agent had accepted until then is in the books. Only ever rises.';

alter table stock add column delta_from timestamptz;
comment on column stock.delta_from is 'Event time of the earliest change in delta_since; null when there is none.';

alter table journal add column trace uuid;
comment on column journal.trace is 'The trace id of the event''s traceparent, as 16 bytes.';
comment on column journal.kind is '1 completed slip, 2 void, 3 aborted slip, 4 training slip, 5 stock movement, 6 count of listed items, 7 full count of a location, 8 a till''s day-end report.';

create table hub_state (
  instance text collate "C" primary key,
  said_at timestamptz not null,
  started_at timestamptz not null,
  version text not null,
  lag_records int8 not null,
  lag_seconds float8 not null,
  slices int8 not null,
  fenced int8 not null,
  lost_by_retention int8 not null
);
comment on table hub_state is 'What each ledger process says of itself, every two seconds. Counters since its start.';

create table replay_request (
  replay_id uuid primary key default gen_random_uuid(),
  site_id int4 not null references site,
  agent text collate "C" not null,
  stream text collate "C" not null,
  epoch uuid,
  first_seq int8,
  last_seq int8,
  accepted_from timestamptz,
  accepted_to timestamptz,
  requested_at timestamptz not null default now(),
  state text not null default 'asked' check (state in ('asked', 'sent', 'running', 'done', 'unanswered')),
  sent_at timestamptz,
  heard_at timestamptz,
  events int8,
  events_left int8,
  applied_before int8 not null default 0,
  applied_after int8,
  check ((first_seq is null) = (last_seq is null)),
  check ((accepted_from is null) = (accepted_to is null))
);
create index replay_request_open on replay_request (state) where state in ('asked', 'sent', 'running');
comment on table replay_request is 'What people asked an agent to send again. The ledger sends the request, the agent''s status says how far it is.';

alter table quarantine
  drop constraint quarantine_state_check,
  add constraint quarantine_state_check check (state in ('held', 'asked', 'applied', 'dismissed')),
  add column asked_at timestamptz;
create index quarantine_asked on quarantine (quarantine_id) where state = 'asked';
comment on column quarantine.state is 'held: nobody looked yet. asked: a person asked to apply it again; the ledger does and says applied or held.';

create table self_check (
  check_id int8 generated always as identity primary key,
  checked_at timestamptz not null default now(),
  took_ms int8 not null,
  equal bool not null,
  figures jsonb not null
);
comment on table self_check is 'Results of adding the books up in several ways, newest last.';
