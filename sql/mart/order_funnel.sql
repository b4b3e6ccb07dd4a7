-- How far the orders of each day have come by now.
-- One row a day with at least one order. An order waits (paid), has left (shipped, delivered or returned), has
-- arrived (delivered or returned), came back (returned) or was cancelled: placed = waiting + shipped + cancelled.
-- Where the orders stand now, not where they stood on the day: recent days have still to move on.
-- Made of warehouse.orders alone.
-- @partition order_date
-- @grain order_date
-- @owner team:data
-- @freshness 26h
-- @plot order_date, returned_count
with orders as (
    select * from warehouse.orders
)

select
    orders.order_date::date as order_date, -- Day of the orders, in the shop's time zone
    count(*)::bigint as placed_count, -- Orders placed
    sum(case when orders.status = 'paid' then 1 else 0 end)::bigint as waiting_count, -- Orders that have not left
    sum(case when orders.status in ('shipped', 'delivered', 'returned') then 1 else 0 end)::bigint as shipped_count, -- Orders that have left
    sum(case when orders.status in ('delivered', 'returned') then 1 else 0 end)::bigint as delivered_count, -- Orders that have arrived
    sum(case when orders.status = 'returned' then 1 else 0 end)::bigint as returned_count, -- Orders that came back
    sum(case when orders.status = 'cancelled' then 1 else 0 end)::bigint as cancelled_count -- Orders that were cancelled
from orders
group by orders.order_date;
