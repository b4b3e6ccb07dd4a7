-- What each customer has bought, over the whole history.
-- One row a customer; lines without a customer are nobody's and are left out.
-- Amounts are pounds, cancellations taken off.
-- @grain customer_id
-- @owner team:data
with customers as (
    select * from warehouse.customers
),

invoices as (
    select
        orders.customer_id,
        orders.source_order_no,
        count(*) as order_lines,
        sum(orders.quantity) as quantity,
        sum(orders.amount) as amount,
        min(orders.order_date) as first_order_date,
        max(orders.order_date) as last_order_date
    from warehouse.orders
    group by orders.customer_id, orders.source_order_no
)

select
    customers.customer_id::integer as customer_id, -- Number of the account
    customers.country_first_seen::varchar(160) as country_first_seen, -- Country of the first line
    sum(invoices.order_lines)::bigint as order_lines, -- Lines invoiced
    count(*)::bigint as orders, -- Invoices, cancellations included
    sum(case when invoices.amount > 0 then 1 else 0 end)::bigint as paid_orders, -- Invoices above zero
    sum(invoices.quantity)::bigint as quantity, -- Pieces, less those taken back
    sum(invoices.amount)::decimal(38, 3) as amount, -- Amount less cancellations, in pounds
    min(invoices.first_order_date)::date as first_order_date, -- Day of the first line
    max(invoices.last_order_date)::date as last_order_date -- Day of the latest line
from customers
inner join invoices on customers.customer_id = invoices.customer_id
group by customers.customer_id, customers.country_first_seen;
