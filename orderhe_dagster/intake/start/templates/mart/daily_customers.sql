-- How many of each day's customers were new, and how many came back.
-- One row a day with at least one kept order: one that is neither cancelled nor returned. Guests without an account are
-- neither new nor returning, and their orders count in neither. A customer is new on the day of their first kept order and returning on every later day with one. It needs all days
-- before, so it is always built whole; figures of the past may move.
-- $taken
-- @grain order_date
-- @plot order_date, new_customer_count
with orders as (
    select * from warehouse.$orders
?undated|    where order_date is not null
),

kept as (
    select
        orders.order_date,
        orders.customer_id,
        count(*) as order_count
    from orders
    where orders.stage not in ('cancelled', 'returned')
    group by orders.order_date, orders.customer_id
),

visits as (
    select
        kept.order_date,
        kept.order_count,
        case
            when kept.customer_id is null then 0
            when kept.order_date = min(kept.order_date) over (partition by kept.customer_id) then 1
            else 0
        end as is_first,
        case when kept.customer_id is null then 0 else 1 end as is_known
    from kept
)

select
    visits.order_date, -- Day of the orders$zone
    sum(visits.is_first) as new_customer_count, -- Customers whose first kept order is of this day
    sum(visits.is_known - visits.is_first) as returning_customer_count, -- Customers with a kept order on this day and an earlier one
    sum(case when visits.is_first = 1 then visits.order_count else 0 end)::bigint as first_order_count, -- Kept orders of new customers
    sum(case when visits.is_known = 1 and visits.is_first = 0 then visits.order_count else 0 end)::bigint as repeat_order_count -- Kept orders of returning customers
from visits
group by visits.order_date;
