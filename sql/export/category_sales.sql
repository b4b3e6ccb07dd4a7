-- What each category sold on each day, for BI tools: one row a day and category with an order.
-- Won; net leaves out cancelled and returned orders. The category is the one a product has now.
-- All of mart.category_sales.
-- @grain order_date, category
-- @owner team:data
-- @freshness 26h
select
    category_sales.order_date::date as order_date, -- Day of the orders, in the shop's time zone
    category_sales.category::varchar(160) as category, -- Department
    category_sales.order_count::bigint as order_count, -- Orders placed
    category_sales.customer_count::bigint as customer_count, -- Customers who ordered of it
    category_sales.units_sold::bigint as units_sold, -- Pieces ordered
    category_sales.gross_amount::bigint as gross_amount, -- Amount of all orders, in won
    category_sales.net_amount::bigint as net_amount -- Amount less cancelled and returned orders, in won
from mart.category_sales
order by category_sales.order_date, category_sales.category;
