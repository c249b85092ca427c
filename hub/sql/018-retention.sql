-- What people have settled, and what processes said of themselves, is deleted after a stated time: see docs/operating/growth.md.

-- Few rows have this; held ones are never looked at.
create index quarantine_settled on quarantine (settled_at) where state in ('applied', 'dismissed');

do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant delete on quarantine, replay_request, self_check, correction, hub_state to branchline_hub;
  end if;
end
$$;
