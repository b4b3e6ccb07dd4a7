-- Sales by stock code, largest amount first, for BI tools: the first ten lines are the top ten.
-- @grain product_id
-- @owner team:data
select
    product_sales.product_id::varchar(80) as product_id, -- Stock code; capitals count
    product_sales.description::varchar(400) as description, -- Most frequent text of its lines
    product_sales.order_lines::bigint as order_lines, -- Lines invoiced
    product_sales.orders::bigint as orders, -- Invoices, cancellations included
    product_sales.customers::bigint as customers, -- Customers who are known
    product_sales.quantity::bigint as quantity, -- Pieces, less those taken back
    product_sales.amount::decimal(38, 3) as amount, -- Amount less cancellations, in pounds
    product_sales.first_order_date::date as first_order_date, -- Day of the first line
    product_sales.last_order_date::date as last_order_date -- Day of the latest line
from mart.product_sales
order by product_sales.amount desc, product_sales.product_id;
