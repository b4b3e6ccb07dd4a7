-- How many of each day's customers were new, and how many came back.
-- One row a day with at least one kept order: one that is neither cancelled nor returned. A customer is new on
-- the day of their first kept order and returning on every later day with one. When that first order is
-- cancelled afterwards, the customer turns new on another day: figures of the past may move.
-- Made of warehouse.orders; it needs all days before, so it is always built whole.
-- @grain order_date
-- @owner team:data
-- @freshness 26h
-- @plot order_date, new_customer_count
with orders as (
    select * from warehouse.orders
),

kept as (
    select
        orders.order_date,
        orders.customer_id,
        count(*) as order_count
    from orders
    where orders.status not in ('cancelled', 'returned')
    group by orders.order_date, orders.customer_id
),

visits as (
    select
        kept.order_date,
        kept.order_count,
        case
            when kept.order_date = min(kept.order_date) over (partition by kept.customer_id) then 1
            else 0
        end as is_first
    from kept
)

select
    visits.order_date::date as order_date, -- Day of the orders, in the shop's time zone
    sum(visits.is_first)::bigint as new_customer_count, -- Customers whose first kept order is of this day
    sum(1 - visits.is_first)::bigint as returning_customer_count, -- Customers with a kept order on this day and an earlier one
    sum(case when visits.is_first = 1 then visits.order_count else 0 end)::bigint as first_order_count, -- Kept orders of new customers
    sum(case when visits.is_first = 1 then 0 else visits.order_count end)::bigint as repeat_order_count -- Kept orders of returning customers
from visits
group by visits.order_date;
