-- Customers, orders and amount of each segment, for BI tools: one row a segment that has customers.
-- Won; cancelled and returned orders are left out. All of mart.customer_segments; mart.customer_value says how a
-- segment is chosen.
-- @grain segment
-- @owner team:data
-- @freshness 26h
select
    customer_segments.segment::varchar(20) as segment, -- prospect, champion, loyal, at_risk, new, promising, sleeping or lost
    customer_segments.customer_count::bigint as customer_count, -- Customers
    customer_segments.order_count::bigint as order_count, -- Their kept orders
    customer_segments.net_amount::bigint as net_amount, -- Amount of these orders, in won
    customer_segments.average_recency_days::integer as average_recency_days -- Days since their latest order, on average; NULL: prospects
from mart.customer_segments
order by customer_segments.segment;
