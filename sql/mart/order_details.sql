-- Every order with its customer and its product: the integrated data set.
-- Question: what was ordered, by what kind of customer, of what kind of product?
-- One row an order, with its customer and product as they are now: a day is built again when its orders change, or
-- a customer or product that stands in it does. Names, addresses and notes of people stay in the warehouse.
-- @partition order_date
-- @grain order_id
-- @owner team:data
-- @freshness 26h
-- @distkey order_id
-- @sortkey order_date
with orders as (
    select * from warehouse.orders
),

customers as (
    select * from warehouse.customers
),

products as (
    select * from warehouse.products
)

select
    orders.order_id::bigint as order_id, -- Number of the order
    orders.order_date::date as order_date, -- Day of the order, in the shop's time zone
    orders.customer_id::integer as customer_id, -- Who ordered
    customers.locale::varchar(20) as customer_locale, -- Language of the account
    customers.city::varchar(320) as customer_city, -- City or province
    customers.signup_date::date as signup_date, -- Day the account was opened
    orders.product_id::integer as product_id, -- What was ordered
    products.product_name::varchar(800) as product_name, -- Name in the catalogue
    products.category::varchar(160) as category, -- Department
    products.brand::varchar(240) as brand, -- Maker
    orders.channel::varchar(20) as channel, -- Where it was placed
    orders.status::varchar(36) as status, -- Where the order stands
    orders.quantity::integer as quantity, -- How many
    orders.unit_price::integer as unit_price, -- Price of one on that day, in won
    orders.amount::integer as amount, -- quantity x unit_price, in won
    orders.created_at::timestamp as created_at, -- When the order was placed (UTC)
    orders.updated_at::timestamp as updated_at -- When the order last changed (UTC)
from orders
inner join customers on orders.customer_id = customers.customer_id
inner join products on orders.product_id = products.product_id;
