-- From when to when nobody knows whether the books have everything: before a site's first agent, and between what a lost
-- database last reported and the first report of the one in its place. It stays unknown until a person dismisses it.
alter table agent add column database_id uuid;
comment on column agent.database_id is 'The random id of the database that its last status named; null when it named none.';

create table unknown_span (
  unknown_id int8 generated always as identity primary key,
  site_id int4 not null references site,
  agent text collate "C",
  database_id uuid,
  reason text not null check (reason in ('before-first-agent', 'database-replaced', 'database-restored', 'agent-retired')),
  since timestamptz,
  until timestamptz not null,
  noticed_at timestamptz not null,
  returned_at timestamptz,
  dismissed_at timestamptz,
  dismissed_because text,
  unique nulls not distinct (site_id, agent, database_id, reason)
);
comment on table unknown_span is 'Times of which nobody knows whether the books have everything that a site accepted. One row per lost database at most.';
comment on column unknown_span.agent is 'Null for the time before the site''s first agent.';
comment on column unknown_span.since is 'Null: since ever.';
comment on column unknown_span.returned_at is 'When the database was heard again: what it holds is no longer unknown.';

insert into unknown_span (site_id, reason, until, noticed_at)
select site_id, 'before-first-agent', first_heard_at, now() from site
where exists (select from agent where agent.site_id = site.site_id);

do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant select, insert, update on unknown_span to branchline_hub;
  end if;
  if exists (select from pg_roles where rolname = 'branchline_reports') then
    grant select, insert on unknown_span to branchline_reports;
    grant update (since, until, noticed_at, returned_at, dismissed_at, dismissed_because) on unknown_span to branchline_reports;
  end if;
end
$$;
