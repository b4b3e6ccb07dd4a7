-- What each category sold on each day.
-- One row a day and category with at least one order. The category is the one the product has now, so a
-- product that moves takes its past along. Amounts are won, by the price of the day. Net leaves out cancelled
-- and returned orders, whenever they were cancelled or returned. A customer counts in every category they order of.
-- Made of warehouse.orders, with the category from warehouse.products: a day alone is built again when its
-- orders change, and every day when a product changes its category.
-- @partition order_date
-- @grain order_date, category
-- @owner team:data
-- @freshness 26h
-- @plot order_date, net_amount, category
with orders as (
    select * from warehouse.orders
),

products as (
    select * from warehouse.products
)

select
    orders.order_date::date as order_date, -- Day of the orders, in the shop's time zone
    products.category::varchar(160) as category, -- Department
    count(*)::bigint as order_count, -- Orders placed
    count(distinct orders.customer_id)::bigint as customer_count, -- Customers who ordered of it
    sum(orders.quantity)::bigint as units_sold, -- Pieces ordered
    sum(orders.amount)::bigint as gross_amount, -- Amount of all orders, in won
    sum(case when orders.status in ('cancelled', 'returned') then 0 else orders.amount end)::bigint as net_amount -- Amount less cancelled and returned orders, in won
from orders
inner join products on orders.product_id = products.product_id
group by orders.order_date, products.category;
