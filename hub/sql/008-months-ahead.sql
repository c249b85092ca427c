-- A month of the journal is made without stopping those who read or write the journal. `create table … partition of` locks
-- the whole journal against everybody; attaching a table only locks journal_other, where rows of no month lie. Even that
-- is not waited for longer than lock_timeout: whoever asks tries again later, and until then the rows go to journal_other.
-- The hub makes the next months ahead, so that a slice nearly never has to ask.
create or replace function ensure_journal_month(day date) returns void
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '2s' as $$
declare
  first date := date_trunc('month', day)::date;
  name text := format('journal_%s', to_char(first, 'YYYY_MM'));
begin
  if first < date '2000-01-01' or first > now() + interval '1 year' then return; end if;
  if to_regclass('public.' || name) is not null then return; end if;
  perform pg_advisory_xact_lock(hashtext('ensure_journal_month'));
  if to_regclass('public.' || name) is not null then return; end if;
  execute format('create table %I (like journal including all)', name);
  execute format('alter table journal attach partition %I for values from (%L) to (%L)', name, first, (first + interval '1 month')::date);
exception
  -- Another hub made it while this one waited for its lock; that need not be visible before.
  when duplicate_table or unique_violation then return;
  -- Rows of this month came before it could be made and lie in journal_other; they can stay there.
  when check_violation then return;
end
$$;
