-- The self-check adds up the books' sums of all time every few minutes. Days that are over are added up once and kept. What
-- changes one of them later is noted by the slice that does, in the same transaction, and the next check adds it up again.

create table settled_day (
  from_day date primary key,
  to_day date not null,
  added_up_at timestamptz not null,
  sums jsonb not null
);
comment on table settled_day is 'Sums of past days, in UTC for intervals and by business day for tills. The rows cover all time up to the last to_day, without a gap.';
comment on column settled_day.from_day is 'The first day; -infinity in the first row. Days in which nothing was sold belong to the row of the next one.';
comment on column settled_day.added_up_at is 'When the tables were read: what was booked in these days since is in changed_day.';

create table changed_day (
  changed_day_id int8 generated always as identity primary key,
  day date not null
);
comment on table changed_day is 'Past days in which a slice has booked something. The next self-check deletes them. Not unique: slices must not wait for each other.';

alter table self_check add column coverage jsonb;
comment on column self_check.coverage is 'Which days it took from settled_day, and since when each of them was added up. Null before 022, when all were added up.';

do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant select, insert, delete on changed_day to branchline_hub;
    grant select, insert, update on settled_day to branchline_hub;
  end if;
  if exists (select from pg_roles where rolname = 'branchline_reports') then
    grant select, delete on changed_day to branchline_reports;
    grant select, insert, update on settled_day to branchline_reports;
  end if;
end
$$;
