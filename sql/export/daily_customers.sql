-- New and returning customers of each day, for BI tools: one row a day with a kept order.
-- Cancelled and returned orders are left out; new is who has the first kept order on the day.
-- All of mart.daily_customers.
-- @grain order_date
-- @owner team:data
-- @freshness 26h
select
    daily_customers.order_date::date as order_date, -- Day of the orders, in the shop's time zone
    daily_customers.new_customer_count::bigint as new_customer_count, -- Customers whose first kept order is of this day
    daily_customers.returning_customer_count::bigint as returning_customer_count, -- Customers with a kept order on this day and an earlier one
    daily_customers.first_order_count::bigint as first_order_count, -- Kept orders of new customers
    daily_customers.repeat_order_count::bigint as repeat_order_count -- Kept orders of returning customers
from mart.daily_customers
order by daily_customers.order_date;
