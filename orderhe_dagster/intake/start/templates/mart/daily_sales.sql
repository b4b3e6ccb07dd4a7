-- What was sold on each day.
-- One row a day with at least one order. Amounts are $currency, as the orders have them now: with delivery and taxes
-- where the shop's total has them. $net
-- $taken
?daily|-- @partition order_date
-- @grain order_date
-- @plot order_date, net_amount
with orders as (
    select * from warehouse.$orders
?undated|    where order_date is not null
)

select
    orders.order_date, -- Day of the orders$zone
    count(*) as order_count, -- Orders placed
?customer|    count(distinct orders.customer_id) as customer_count, -- Customers with an account who ordered
    sum(orders.amount)::$money as gross_amount, -- Amount of all orders, in $currency
?cancelled|    sum(case when orders.stage = 'cancelled' then orders.amount else 0 end)::$money as cancelled_amount, -- Amount of cancelled orders, in $currency
?returned|    sum(case when orders.stage = 'returned' then orders.amount else 0 end)::$money as returned_amount, -- Amount of returned or refunded orders, in $currency
    sum(case when orders.stage in ('cancelled', 'returned') then 0 else orders.amount end)::$money as net_amount -- $net_column, in $currency
from orders
group by orders.order_date;
