-- Sales by day, for BI tools.
-- @grain order_date
-- @owner team:data
-- @freshness 26h
select
    daily_sales.order_date::date as order_date, -- Day of the orders, in the shop's time zone
    daily_sales.order_count::bigint as order_count, -- Orders placed
    daily_sales.customer_count::bigint as customer_count, -- Customers who ordered
    daily_sales.units_sold::bigint as units_sold, -- Pieces ordered
    daily_sales.gross_amount::bigint as gross_amount, -- Amount of all orders, in won
    daily_sales.cancelled_amount::bigint as cancelled_amount, -- Amount of cancelled orders, in won
    daily_sales.returned_amount::bigint as returned_amount, -- Amount of returned orders, in won
    daily_sales.net_amount::bigint as net_amount -- Amount less cancelled and returned orders, in won
from mart.daily_sales
order by daily_sales.order_date;
