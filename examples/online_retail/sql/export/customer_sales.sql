-- Sales by customer, largest amount first, for BI tools: the first ten lines are the top ten.
-- @grain customer_id
-- @owner team:data
select
    customer_sales.customer_id::integer as customer_id, -- Number of the account
    customer_sales.country_first_seen::varchar(160) as country_first_seen, -- Country of the first line
    customer_sales.order_lines::bigint as order_lines, -- Lines invoiced
    customer_sales.orders::bigint as orders, -- Invoices, cancellations included
    customer_sales.paid_orders::bigint as paid_orders, -- Invoices above zero
    customer_sales.quantity::bigint as quantity, -- Pieces, less those taken back
    customer_sales.amount::decimal(38, 3) as amount, -- Amount less cancellations, in pounds
    customer_sales.first_order_date::date as first_order_date, -- Day of the first line
    customer_sales.last_order_date::date as last_order_date -- Day of the latest line
from mart.customer_sales
order by customer_sales.amount desc, customer_sales.customer_id;
