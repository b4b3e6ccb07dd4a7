-- How far the orders of each day have come by now.
-- One row a day with at least one order. Where the orders stand now, not where they stood on the day: recent days have
-- still to move on. Which status is which step: warehouse.$orders.
-- $taken
?daily|-- @partition order_date
-- @grain order_date
-- @plot order_date, placed_count
with orders as (
    select * from warehouse.$orders
?undated|    where order_date is not null
)

select
    orders.order_date, -- Day of the orders$zone
    count(*) as placed_count, -- Orders placed
?shipped|    sum(case when orders.stage = 'waiting' then 1 else 0 end) as waiting_count, -- Orders that have not left
?shipped|    sum(case when orders.stage in ('shipped', 'delivered', 'returned') then 1 else 0 end) as shipped_count, -- Orders that have left
?delivered|    sum(case when orders.stage in ('delivered', 'returned') then 1 else 0 end) as delivered_count, -- Orders that have arrived, or are complete
?returned|    sum(case when orders.stage = 'returned' then 1 else 0 end) as returned_count, -- Orders that came back or were refunded
    sum(case when orders.stage = 'cancelled' then 1 else 0 end) as cancelled_count -- Orders that were cancelled
from orders
group by orders.order_date;
