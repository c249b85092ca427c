-- A status may be recorded long after it was written: Kafka was away, or a broker delivered it once more. So what it proves
-- is dated by when it was written, for which the hub keeps how far each agent's clock is ahead; see hub/ledger/core/agent-clock.ts.
alter table agent
  add column said_to timestamptz,
  add column clock_estimate_ms int8 default 0,
  add column clock_run_ms int8,
  add column clock_run_since timestamptz,
  add column retired_at timestamptz;
comment on column agent.said_to is 'The last status tells of everything that the agent had accepted until then, on Kafka''s clock; null when its clock is not known.';
comment on column agent.clock_estimate_ms is 'How far the agent''s clock is ahead of Kafka''s, as the least delayed of its statuses shows; null while that is not known.';
comment on column agent.clock_run_ms is 'The largest clock_ahead_ms of the newest statuses that agree, and clock_run_since when the first of them was recorded.';
comment on column agent.retired_at is 'A person said that the agent is gone for good; it counts again when it is heard after that.';

alter table source rename column awaited_heard_at to awaited_to;
alter table source
  add column said_to timestamptz,
  add column gap_dismissed_at timestamptz;
-- What was awaited is dated by when Kafka recorded it; the next status sets it anew.
update source set awaited_highest = null, awaited_to = null where awaited_highest is not null;
comment on column source.awaited_highest is 'When the books hold every seq up to this one, they are complete up to awaited_to.';
comment on column source.said_to is 'reported_highest was the highest seq until at least then, on Kafka''s clock.';
comment on column source.gap_dismissed_at is 'A person said that what is missing exists nowhere any more. It holds until an agent names the source again.';
