-- What completed orders add up to. Each session counts in a row of its own, in the statement that completes the orders: nobody
-- waits for anybody, and the sum over all rows is exact at every moment.
create table order_totals (
  session_id bigint primary key,
  completed  bigint not null,
  priced     bigint not null,                     -- of those, the ones with an execution price
  price_sum  numeric not null
) with (fillfactor = 50);                         -- one row per session, updated all the time: its versions share the page
