-- What each product has sold, over the whole history.
-- One row a product that was ordered at least once. Amounts are won, by the price of the day.
-- Net leaves out cancelled and returned orders.
-- @grain product_id
-- @owner team:data
with order_details as (
    select * from mart.order_details
)

select
    order_details.product_id::integer as product_id, -- Number of the product
    max(order_details.product_name)::varchar(800) as product_name, -- Name in the catalogue
    max(order_details.category)::varchar(160) as category, -- Department
    max(order_details.brand)::varchar(240) as brand, -- Maker
    count(*)::bigint as order_count, -- Orders placed
    count(distinct order_details.customer_id)::bigint as customer_count, -- Customers who ordered it
    sum(order_details.quantity)::bigint as units_sold, -- Pieces ordered
    sum(order_details.amount)::bigint as gross_amount, -- Amount of all orders, in won
    sum(case when order_details.status in ('cancelled', 'returned') then 0 else order_details.amount end)::bigint as net_amount, -- Amount less cancelled and returned orders, in won
    min(order_details.order_date)::date as first_order_date, -- Day of the first order
    max(order_details.order_date)::date as last_order_date -- Day of the latest order
from order_details
group by order_details.product_id;
