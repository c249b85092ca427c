-- Every start of an agent adds sources, and every one is kept for ever (H1). One that has nothing missing and that no agent
-- lists any more is finished: its figures go into sums, and who asks for figures reads those sums and the sources that are not
-- finished. Nothing else about it changes: it stays where its key finds it, and whatever changes it takes it out of the sums.

alter table source add column finished_at timestamptz;
comment on column source.finished_at is 'Since when the figures of this row are in finished_sum; null while readers must read the row itself.';
-- Maintenance finishes what is there already, in small batches. Until then readers read as much as before.
create index source_unfinished on source (site_id, agent) where finished_at is null;

create table finished_sum (
  site_id int4 not null,
  agent text collate "C" not null,
  stream text collate "C" not null,
  sources int8 not null,
  events int8 not null,
  applied int8 not null,
  redelivered int8 not null,
  repeated int8 not null,
  conflicting int8 not null,
  quarantined int8 not null,
  deadlettered int8 not null
);
comment on table finished_sum is 'Figures of finished sources. Several rows for one agent and stream are to be added up: a source that changes again is a row below zero. Maintenance makes one row of them.';
comment on column finished_sum.events is 'Seqs, all of them taken.';

create function add_to_finished(s source, factor int) returns void
language sql volatile security definer set search_path = public, pg_temp as $$
  insert into finished_sum
  values (s.site_id, s.agent, s.stream, factor, factor * coalesce(upper(s.seen) - 1, 0), factor * s.applied, factor * s.redelivered,
    factor * s.repeated, factor * s.conflicting, factor * s.quarantined, factor * s.deadlettered)
$$;
revoke all on function add_to_finished from public;

-- Security definer: reports may dismiss a gap, and neither reads nor writes the sums by hand.
create function finish_source() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if old.finished_at is not null then perform add_to_finished(old, -1); end if;
  if tg_op = 'DELETE' then return old; end if;
  if old.finished_at is not null then new.finished_at := null;
  else perform add_to_finished(new, 1);
  end if;
  return new;
end
$$;
revoke all on function finish_source from public;
create trigger source_finished before update on source for each row
  when (old.finished_at is not null or new.finished_at is not null) execute function finish_source();
create trigger source_deleted before delete on source for each row
  when (old.finished_at is not null) execute function finish_source();

create view source_figures as
  select site_id, agent, stream, sources, events as accepted, events as recorded, applied, redelivered, repeated, conflicting,
    quarantined, deadlettered, 0::int8 as missing
  from finished_sum
  union all
  select site_id, agent, stream, 1, greatest(reported_highest, top), greatest(reported_recorded_to, taken), applied, redelivered,
    repeated, conflicting, quarantined, deadlettered,
    case when gap_dismissed_at is null then greatest(reported_highest, top) - taken else 0 end
  from (
    select source.*, coalesce(upper(seen) - 1, 0) as top,
      case when seen @> int8range(1, upper(seen)) or isempty(seen) then coalesce(upper(seen) - 1, 0)
        else (select sum(upper(r) - lower(r))::int8 from unnest(seen) r) end as taken
    from source where finished_at is null) unfinished;
comment on view source_figures is 'What agents reported and the books hold, in rows that are to be added up: finished sources as sums, all others one by one.';

do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant select, insert, update, delete on finished_sum to branchline_hub;
    grant select on source_figures to branchline_hub;
  end if;
  if exists (select from pg_roles where rolname = 'branchline_reports') then
    grant select on finished_sum, source_figures to branchline_reports;
  end if;
end
$$;
