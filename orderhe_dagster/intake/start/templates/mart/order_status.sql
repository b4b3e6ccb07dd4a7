-- Where the orders of each day stand by now, in the shop's own words.
-- One row a day and status with at least one order; stage is what the marts take the status for.
-- $taken
?daily|-- @partition order_date
-- @grain order_date, status, stage
with orders as (
    select * from warehouse.$orders
?undated|    where order_date is not null
)

select
    orders.order_date, -- Day of the orders$zone
    coalesce(orders.status, '') as status, -- The shop's own status; '' where there is none
    orders.stage, -- waiting, shipped, delivered, returned or cancelled
    count(*) as order_count, -- Orders
    sum(orders.amount)::$money as order_amount -- Their amount, in $currency
from orders
group by orders.order_date, coalesce(orders.status, ''), orders.stage;
