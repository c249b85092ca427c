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
