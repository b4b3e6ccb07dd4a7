-- What was sold on each day.
-- One row a day with at least one order. Days are the shop's; amounts are won, by the price of the day.
-- Net leaves out cancelled and returned orders, whenever they were cancelled or returned.
-- @partition order_date
-- @grain order_date
-- @owner team:data
-- @freshness 26h
-- @plot order_date, net_amount
with orders as (
    select * from warehouse.orders
)

select
    orders.order_date::date as order_date, -- Day of the orders, in the shop's time zone
    count(*)::bigint as order_count, -- Orders placed
    count(distinct orders.customer_id)::bigint as customer_count, -- Customers who ordered
    sum(orders.quantity)::bigint as units_sold, -- Pieces ordered
    sum(orders.amount)::bigint as gross_amount, -- Amount of all orders, in won
    sum(case when orders.status = 'cancelled' then orders.amount else 0 end)::bigint as cancelled_amount, -- Amount of cancelled orders, in won
    sum(case when orders.status = 'returned' then orders.amount else 0 end)::bigint as returned_amount, -- Amount of returned orders, in won
    sum(case when orders.status in ('cancelled', 'returned') then 0 else orders.amount end)::bigint as net_amount -- Amount less cancelled and returned orders, in won
from orders
group by orders.order_date;
