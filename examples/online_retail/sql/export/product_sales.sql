-- Sales by stock code, largest amount first, for BI tools and the dashboard, under the names
-- that it reads: the first ten lines are the top ten.
-- @grain product_id
-- @owner team:data
select
    product_sales.product_id::varchar(80) as product_id, -- Stock code; capitals count
    product_sales.description::varchar(400) as product_name, -- Most frequent text of its lines
    product_sales.order_lines::bigint as order_lines, -- Lines invoiced
    product_sales.orders::bigint as order_count, -- Invoices, cancellations included
    product_sales.customers::bigint as customer_count, -- Customers who are known
    product_sales.quantity::bigint as units_sold, -- Pieces, less those taken back
    product_sales.amount::decimal(38, 3) as net_amount, -- Amount less cancellations, in pounds
    product_sales.first_order_date::date as first_order_date, -- Day of the first line
    product_sales.last_order_date::date as last_order_date, -- Day of the latest line
    product_sales.recent_amount::decimal(38, 3) as recent_net_amount, -- Amount of the shop's latest 30 days, in pounds
    product_sales.previous_amount::decimal(38, 3) as previous_net_amount -- Amount of the 30 days before those, in pounds
from mart.product_sales
order by product_sales.amount desc, product_sales.product_id;
