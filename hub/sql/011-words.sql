-- One word for one thing: a transaction is what a till closed, a partition is Kafka's, and what waits to be merged is pending.
-- Only names change; views and constraints follow the columns that they were made of.

alter table ingest_offset rename column part to partition;
alter table source rename column part to partition;
alter table quarantine rename column part to partition;
alter table chain_window rename column part to partition;

alter table sales_window rename column slips to transactions;
alter table sales_window rename column late_slips to late_transactions;
alter table chain_window rename column slips to transactions;
alter table chain_window rename column late_slips to late_transactions;
alter table site_hour rename column slips to transactions;
alter table site_hour rename column late_slips to late_transactions;
alter table till_day rename column slips to transactions;
alter table day_report rename column slips to transactions;
alter table correction rename column slips to transactions;

alter view slip rename to pos_transaction;
comment on view pos_transaction is 'Transactions in the journal: completed, voided, aborted and training.';
comment on column journal.kind is '1 completed transaction, 2 void, 3 aborted transaction, 4 training transaction, 5 stock movement, 6 count of listed items, 7 full count of a location, 8 day-end report of a till.';
comment on column journal.deltas is 'What the event does to stock, per line. Null means the kind''s rule: a transaction subtracts its quantities, a movement adds them, all other kinds do nothing.';

alter table stock_gain rename to stock_pending;
alter index stock_gain_site rename to stock_pending_site;
comment on table stock_pending is 'Stock deltas that wait to be merged. All of them are later than every count of their site: a count merges them first.';
alter table item_day_gain rename to item_day_pending;
alter index item_day_gain_site rename to item_day_pending_site;
comment on table item_day_pending is 'Item deltas by business day that wait to be merged.';
alter view item_day_part rename to item_day_all;
comment on view item_day_all is 'Items by day in rows that are to be summed: those that are merged and those that are pending.';
