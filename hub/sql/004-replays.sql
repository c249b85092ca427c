-- What a replay brought, counted over exactly what was asked for: a site goes on selling meanwhile, and its new sales are
-- no gain of the replay. `counted` is a list of {epoch, first, last}: the seqs asked for, or, for a request by time, all
-- that the hub had heard of when the request was sent.
alter table replay_request
  add column first_sent_at timestamptz,
  add column counted jsonb not null default '[]';
comment on column replay_request.sent_at is 'When the request was last sent; it is repeated until the agent answers.';
comment on column replay_request.applied_before is 'How many of the counted seqs were taken when the request was first sent; applied_after: when it was done.';

create function replay_taken(site int4, agent_name text, stream_name text, counted jsonb) returns int8
language sql stable set search_path = public, pg_temp as $$
  select coalesce(sum(upper(taken) - lower(taken)), 0)::int8
  from jsonb_to_recordset(counted) as c(epoch uuid, first int8, last int8)
    join source s on s.site_id = site and s.agent = agent_name and s.stream = stream_name and s.epoch = c.epoch,
    unnest(s.seen * int8multirange(int8range(c.first, greatest(c.first, c.last + 1)))) as taken
$$;

-- A dead letter is a frame that nobody can split. Applying it again means to give its seqs back, so that the agent sends
-- the events once more; if they never come, dismissing the row takes the seqs again.
alter table quarantine add column given_back_at timestamptz;
create index quarantine_given_back on quarantine (quarantine_id) where given_back_at is not null and state <> 'applied';
comment on column quarantine.given_back_at is 'Since when the seqs of this row count as missing, and the agent is asked for them.';
