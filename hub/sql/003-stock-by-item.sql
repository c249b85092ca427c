-- One item in all sites: without this every position of every site is read, half a second with 2,000 sites. Its columns
-- never change, so updates of stock stay HOT; only a new position adds an entry.
create index stock_item on stock (item_id, site_id, location);
