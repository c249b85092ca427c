-- A partition that stands still is an alert and a metric; the page names it too.
alter table hub_state add column unreadable jsonb not null default '[]';
comment on column hub_state.unreadable is 'Partitions at a record batch that cannot be read: topic, partition, since (ms since 1970) and reason of each.';
