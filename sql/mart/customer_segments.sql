-- How many customers each segment has, and what they brought.
-- One row a segment that has customers; mart.customer_value says how a segment is chosen. Only kept orders count: neither
-- cancelled nor returned. The average of days is rounded, half a day up; prospects have none.
-- Made of mart.customer_value, so of warehouse.customers and warehouse.orders.
-- @grain segment
-- @owner team:data
-- @freshness 26h
-- @plot segment, net_amount
with customer_value as (
    select * from mart.customer_value
),

segments as (
    select
        customer_value.segment,
        count(*) as customer_count,
        sum(customer_value.frequency)::bigint as order_count,
        sum(customer_value.monetary_amount)::bigint as net_amount,
        sum(customer_value.recency_days)::bigint as recency_days,
        count(customer_value.recency_days) as buyer_count
    from customer_value
    group by customer_value.segment
)

select
    segments.segment::varchar(20) as segment, -- prospect, champion, loyal, at_risk, new, promising, sleeping or lost
    segments.customer_count::bigint as customer_count, -- Customers
    segments.order_count::bigint as order_count, -- Their kept orders
    segments.net_amount::bigint as net_amount, -- Amount of these orders, in won
    ((2 * segments.recency_days + segments.buyer_count) / nullif(2 * segments.buyer_count, 0))::integer as average_recency_days -- Days since their latest order, on average; NULL: prospects
from segments;
