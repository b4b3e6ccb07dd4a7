-- Sales by day, for BI tools.
-- @grain order_date
-- @owner team:data
select
    daily_sales.order_date::date as order_date, -- Day of the invoices, in London
    daily_sales.order_lines::bigint as order_lines, -- Lines invoiced
    daily_sales.orders::bigint as orders, -- Invoices, cancellations included
    daily_sales.customers::bigint as customers, -- Customers who are known
    daily_sales.quantity::bigint as quantity, -- Pieces, less those taken back
    daily_sales.amount::decimal(38, 3) as amount -- Amount less cancellations, in pounds
from mart.daily_sales
order by daily_sales.order_date;
