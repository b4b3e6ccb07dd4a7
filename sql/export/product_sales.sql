-- Sales by product, best sellers first, for BI tools.
-- @grain product_id
-- @owner team:data
-- @freshness 26h
select
    product_sales.product_id::integer as product_id, -- Number of the product
    product_sales.product_name::varchar(800) as product_name, -- Name in the catalogue
    product_sales.category::varchar(160) as category, -- Department
    product_sales.brand::varchar(240) as brand, -- Maker
    product_sales.order_count::bigint as order_count, -- Orders placed
    product_sales.customer_count::bigint as customer_count, -- Customers who ordered it
    product_sales.units_sold::bigint as units_sold, -- Pieces ordered
    product_sales.gross_amount::bigint as gross_amount, -- Amount of all orders, in won
    product_sales.net_amount::bigint as net_amount, -- Amount less cancelled and returned orders, in won
    product_sales.first_order_date::date as first_order_date, -- Day of the first order
    product_sales.last_order_date::date as last_order_date, -- Day of the latest order
    product_sales.recent_net_amount::bigint as recent_net_amount, -- Net amount of the latest 30 days of the shop, in won
    product_sales.previous_net_amount::bigint as previous_net_amount -- Net amount of the 30 days before those, in won
from mart.product_sales
order by product_sales.net_amount desc, product_sales.product_id;
