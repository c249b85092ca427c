-- A source's events come from one partition until partitions are added to its topic, and then perhaps from several.
alter table source add column partitions int4[] not null default '{}';
update source set partitions = array[partition] where partition is not null;
alter table source drop column partition;
comment on column source.partitions is 'Partitions of its topic from which its events have come. What all of them have been read past is missing.';

-- Of a dead letter's range, events may have taken some seqs before it came: re-applying it releases only those that it took.
alter table quarantine add column taken int8multirange;
comment on column quarantine.taken is 'Seqs that a dead letter took, and that re-applying or dismissing it releases or takes again.';
update quarantine set taken = int8multirange(int8range(first_seq, last_seq, '[]'))
where first_seq is not null and last_seq is not null and topic like '%.deadletter.v1';

-- The day in the journal's key of a stock event is that of its time: stamped again after midnight, the same movement was another
-- event. Its id alone is unique at a site, whatever the day.
create table stock_event (
  site_id int4 not null,
  event_id text collate "C" not null,
  business_day date not null,
  primary key (site_id, event_id)
);
comment on table stock_event is 'Ids of stock events, with the business day under which the journal has them.';
insert into stock_event (site_id, event_id, business_day)
select site_id, event_id, min(business_day) from journal where kind in (5, 6, 7) group by site_id, event_id;

do $$
begin
  if exists (select from pg_roles where rolname = 'branchline_hub') then
    grant select, insert, update on stock_event to branchline_hub;
  end if;
  if exists (select from pg_roles where rolname = 'branchline_reports') then
    grant select on stock_event to branchline_reports;
  end if;
end
$$;

-- An offset means something in one incarnation of a topic: a topic that is created again has the same name, another id, and
-- offsets from 0.
alter table ingest_offset add column topic_id text not null default '', add column last_at timestamptz;
comment on column ingest_offset.topic_id is 'Kafka''s id of the topic that the position belongs to; empty while unknown, or when the brokers have none.';
comment on column ingest_offset.last_at is 'When the last record before the position was recorded, on the broker''s clock: what follows is not older.';
