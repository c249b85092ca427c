-- Cash rounding, and what of the gross is no sales. The till's gross stays as stated; these two say what is in it. Both changes
-- need a lock for a moment only: no row is rewritten, and older hubs go on writing rows without them.

alter table journal add column rounding int8;
alter table journal add column not_sales int8;
comment on column journal.rounding is 'Sum of the tenders called ROUNDING in minor units, or null: the gross less this was paid.';
comment on column journal.not_sales is 'What of the gross is no sales (deposits, gift cards, tips, donations, adjustments) in minor units, or null.';
comment on column journal.quantities is 'Per line, thousandths; 0 where the line is no goods.';

alter table till_day add column rounding int8 not null default 0;
alter table till_day add column not_sales int8 not null default 0;
comment on column till_day.rounding is 'See journal.rounding.';
comment on column till_day.not_sales is 'See journal.not_sales.';
