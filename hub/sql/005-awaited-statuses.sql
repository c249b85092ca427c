-- A hub that is behind by more than the time between two statuses never holds what the last one reported. It waits for an
-- older one instead, until it has all of that, and then for the newest again; so completeness follows the lag.
alter table source
  add column awaited_highest int8,
  add column awaited_heard_at timestamptz;
comment on column source.awaited_highest is 'When the books hold every seq up to this one, they are complete up to awaited_heard_at.';
