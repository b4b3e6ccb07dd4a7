-- Sales by month, for BI tools.
-- @grain month_start_date
-- @owner team:data
select
    monthly_sales.month_start_date::date as month_start_date, -- First day of the month
    monthly_sales.order_lines::bigint as order_lines, -- Lines invoiced
    monthly_sales.orders::bigint as orders, -- Invoices, cancellations included
    monthly_sales.customers::bigint as customers, -- Customers who are known
    monthly_sales.quantity::bigint as quantity, -- Pieces, less those taken back
    monthly_sales.amount::decimal(38, 3) as amount -- Amount less cancellations, in pounds
from mart.monthly_sales
order by monthly_sales.month_start_date;
