-- What a hub remembers of this database, ids above all, holds in one incarnation of it: one history, on one server, since its
-- last start. A restored or promoted database may have given the same ids to other names.

create table incarnation (
  number int4 generated always as identity primary key,
  id uuid not null default gen_random_uuid(),
  began_at timestamptz not null default now(),
  reason text not null,
  system_id text,
  timeline text
);
comment on table incarnation is 'The histories of these books; the last row is the present one. A restore or a promotion begins another.';
comment on column incarnation.system_id is 'PostgreSQL''s own identifier of the server''s data, where the hub may read it: a promotion or a restore to a point in time keeps it and begins another timeline.';
insert into incarnation (reason) values ('the books were set up');

-- Remembered ids are compared with this within the transaction that uses them, so it must be cheap: no table is read but the
-- one above. The server's start covers every restart, the oids another database or a restore that creates the tables anew, and
-- the file nodes one that empties them first.
create function database_identity() returns text
language sql stable set search_path = public, pg_temp as $$
  select concat_ws('/', (select id from incarnation order by number desc limit 1), extract(epoch from pg_postmaster_start_time()),
    (select oid from pg_database where datname = current_database()),
    'site'::regclass::oid, pg_relation_filenode('site'), 'item'::regclass::oid, pg_relation_filenode('item'))
$$;

-- Rows that are replaced under a running hub, table and server staying the same.
create function names_replaced() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into incarnation (reason, system_id, timeline)
  select format('rows of the table %s were replaced', tg_table_name), system_id, timeline
  from incarnation order by number desc limit 1;
  return null;
end
$$;
revoke all on function names_replaced from public;
create trigger replaced after delete or truncate or update of site_id, name on site
  for each statement execute function names_replaced();
create trigger replaced after delete or truncate or update of item_id, name on item
  for each statement execute function names_replaced();

do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant select, insert, update on incarnation to branchline_hub;
  end if;
  if exists (select from pg_roles where rolname = 'branchline_reports') then
    grant select on incarnation to branchline_reports;
  end if;
end
$$;
