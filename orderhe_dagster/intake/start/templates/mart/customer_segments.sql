-- How many customers each segment has, and what they brought.
-- One row a segment that has customers; mart.customer_value says how a segment is chosen. The average of days is rounded,
-- half a day up.
-- @grain segment
-- @plot segment, net_amount
with customer_value as (
    select * from mart.customer_value
),

segments as (
    select
        customer_value.segment,
        count(*) as customer_count,
        sum(customer_value.frequency)::bigint as order_count,
        sum(customer_value.monetary_amount)::$money as net_amount,
        sum(customer_value.recency_days) as recency_days,
        count(customer_value.recency_days) as dated_count
    from customer_value
    group by customer_value.segment
)

select
    segments.segment, -- champion, loyal, at_risk, new, promising, sleeping or lost
    segments.customer_count, -- Customers
    segments.order_count, -- Their kept orders
    segments.net_amount, -- Amount of these orders, in $currency
    ((2 * segments.recency_days + segments.dated_count) / nullif(2 * segments.dated_count, 0))::integer as average_recency_days -- Days since their latest order, on average
from segments;
