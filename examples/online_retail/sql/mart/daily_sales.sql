-- What was sold on each day.
-- One row a day with at least one line; the shop is closed on Saturdays. Amounts are pounds,
-- cancellations taken off. Lines without a customer count in everything but customers.
-- @partition order_date
-- @grain order_date
-- @owner team:data
with orders as (
    select * from warehouse.orders
)

select
    orders.order_date::date as order_date, -- Day of the invoices, in London
    count(*)::bigint as order_lines, -- Lines invoiced
    count(distinct orders.source_order_no)::bigint as orders, -- Invoices, cancellations included
    count(distinct orders.customer_id)::bigint as customers, -- Customers who are known
    sum(orders.quantity)::bigint as quantity, -- Pieces, less those taken back
    sum(orders.amount)::decimal(38, 3) as amount -- Amount less cancellations, in pounds
from orders
group by orders.order_date::date;
