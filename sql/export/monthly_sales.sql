-- What was sold in each month, for BI tools: one row a calendar month with an order, earliest first.
-- Won; net leaves out cancelled and returned orders, and the average is net by kept order, half a won up.
-- All of mart.monthly_sales. The first and the latest month may hold a part of their days.
-- @grain order_month
-- @owner team:data
-- @freshness 26h
select
    monthly_sales.order_month::date as order_month, -- First day of the month, in the shop's time zone
    monthly_sales.day_count::bigint as day_count, -- Days with an order
    monthly_sales.order_count::bigint as order_count, -- Orders placed
    monthly_sales.customer_count::bigint as customer_count, -- Customers who ordered in the month
    monthly_sales.units_sold::bigint as units_sold, -- Pieces ordered
    monthly_sales.gross_amount::bigint as gross_amount, -- Amount of all orders, in won
    monthly_sales.cancelled_amount::bigint as cancelled_amount, -- Amount of cancelled orders, in won
    monthly_sales.returned_amount::bigint as returned_amount, -- Amount of returned orders, in won
    monthly_sales.net_amount::bigint as net_amount, -- Amount less cancelled and returned orders, in won
    monthly_sales.average_order_amount::bigint as average_order_amount -- Net amount of one kept order, in won; NULL where none is kept
from mart.monthly_sales
order by monthly_sales.order_month;
