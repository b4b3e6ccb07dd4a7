-- What was sold in each month.
-- One row a month with at least one line. Orders and customers are counted once a month, so their
-- numbers are not the sums of the days'. Amounts are pounds, cancellations taken off.
-- @grain month_start_date
-- @owner team:data
with orders as (
    select * from warehouse.orders
)

select
    date_trunc('month', orders.order_date)::date as month_start_date, -- First day of the month
    count(*)::bigint as order_lines, -- Lines invoiced
    count(distinct orders.source_order_no)::bigint as orders, -- Invoices, cancellations included
    count(distinct orders.customer_id)::bigint as customers, -- Customers who are known
    sum(orders.quantity)::bigint as quantity, -- Pieces, less those taken back
    sum(orders.amount)::decimal(38, 3) as amount -- Amount less cancellations, in pounds
from orders
group by date_trunc('month', orders.order_date)::date;
