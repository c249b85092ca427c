-- Sites and calendars change seldom and are asked for twice a second: readers keep them, and ask whether they still hold.

create table calendar_revision (
  only_row bool primary key default true check (only_row),
  id uuid not null
);
comment on table calendar_revision is 'One row. A new id for each change of a site''s name, days, zone, opening hours or closed days.';
insert into calendar_revision (id) values (gen_random_uuid());

-- Security definer: who may change a calendar changes this too, and cannot change it by hand.
create function calendars_changed() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update calendar_revision set id = gen_random_uuid();
  return null;
end
$$;
revoke all on function calendars_changed from public;
create trigger calendars_changed after insert or delete or update of name, time_zone, opened_on, closed_on on site
  for each statement execute function calendars_changed();
create trigger calendars_changed after insert or update or delete on opening_hours
  for each statement execute function calendars_changed();
create trigger calendars_changed after insert or update or delete on closed_day
  for each statement execute function calendars_changed();

do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant select on calendar_revision to branchline_hub;
  end if;
  if exists (select from pg_roles where rolname = 'branchline_reports') then
    grant select on calendar_revision to branchline_reports;
  end if;
end
$$;
