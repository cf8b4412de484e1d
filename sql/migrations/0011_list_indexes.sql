-- Lists by what the customer wrote: a rare name or region was looked for from the newest order to the oldest of all.
create index orders_by_customer_name on orders ((content ->> 'customer_name'), order_id) where content ->> 'customer_name' is not null;
create index orders_by_region on orders ((content ->> 'region'), order_id) where content ->> 'region' is not null;
