-- Sales by day, for BI tools and the dashboard, under the names that it reads.
-- @grain order_date
-- @owner team:data
select
    daily_sales.order_date::date as order_date, -- Day of the invoices, in London
    daily_sales.order_lines::bigint as order_lines, -- Lines invoiced
    daily_sales.orders::bigint as order_count, -- Invoices, cancellations included
    daily_sales.customers::bigint as customer_count, -- Customers who are known
    daily_sales.quantity::bigint as units_sold, -- Pieces, less those taken back
    daily_sales.amount::decimal(38, 3) as net_amount -- Amount less cancellations, in pounds
from mart.daily_sales
order by daily_sales.order_date;
