-- How far the orders of each day have come by now, for BI tools: one row a day with an order.
-- placed = waiting + shipped + cancelled; shipped holds what was delivered since, and that what was returned.
-- All of mart.order_funnel.
-- @grain order_date
-- @owner team:data
-- @freshness 26h
select
    order_funnel.order_date::date as order_date, -- Day of the orders, in the shop's time zone
    order_funnel.placed_count::bigint as placed_count, -- Orders placed
    order_funnel.waiting_count::bigint as waiting_count, -- Orders that have not left
    order_funnel.shipped_count::bigint as shipped_count, -- Orders that have left
    order_funnel.delivered_count::bigint as delivered_count, -- Orders that have arrived
    order_funnel.returned_count::bigint as returned_count, -- Orders that came back
    order_funnel.cancelled_count::bigint as cancelled_count -- Orders that were cancelled
from mart.order_funnel
order by order_funnel.order_date;
