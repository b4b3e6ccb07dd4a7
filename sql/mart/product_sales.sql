-- What each product has sold, over the whole history and lately.
-- One row a product that was ordered at least once. Amounts are won, by the price of the day. Net leaves out
-- cancelled and returned orders. Lately is the 30 days that end with the latest order date of the shop, whatever
-- the clock says; previous is the 30 days before those. Made of mart.order_details: every order with its product.
-- @grain product_id
-- @owner team:data
-- @freshness 26h
-- @plot category, net_amount
with order_details as (
    select * from mart.order_details
),

latest as (
    select max(order_details.order_date) as latest_date
    from order_details
),

orders as (
    select
        order_details.*,
        case when order_details.status in ('cancelled', 'returned') then 0 else order_details.amount end as kept_amount,
        latest.latest_date - order_details.order_date as days_ago
    from order_details
    cross join latest
)

select
    orders.product_id::integer as product_id, -- Number of the product
    max(orders.product_name)::varchar(800) as product_name, -- Name in the catalogue
    max(orders.category)::varchar(160) as category, -- Department
    max(orders.brand)::varchar(240) as brand, -- Maker
    count(*)::bigint as order_count, -- Orders placed
    count(distinct orders.customer_id)::bigint as customer_count, -- Customers who ordered it
    sum(orders.quantity)::bigint as units_sold, -- Pieces ordered
    sum(orders.amount)::bigint as gross_amount, -- Amount of all orders, in won
    sum(orders.kept_amount)::bigint as net_amount, -- Amount less cancelled and returned orders, in won
    min(orders.order_date)::date as first_order_date, -- Day of the first order
    max(orders.order_date)::date as last_order_date, -- Day of the latest order
    sum(case when orders.days_ago < 30 then orders.kept_amount else 0 end)::bigint as recent_net_amount, -- Net amount of the latest 30 days of the shop, in won
    sum(case when orders.days_ago between 30 and 59 then orders.kept_amount else 0 end)::bigint as previous_net_amount -- Net amount of the 30 days before those, in won
from orders
group by orders.product_id;
