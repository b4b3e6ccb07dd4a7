-- Which products are bought together.
-- One row a pair of products that share two baskets or more. A basket is what one customer bought on one day, each product
-- once, from kept orders only: neither cancelled nor returned. Lift is shared baskets x all baskets / (baskets of
-- the one x baskets of the other), half a hundredth up: above 1, the two meet more often than by chance. A lift of
-- few baskets says little: read it with basket_count. Made of warehouse.orders, with names from warehouse.products.
-- @grain product_id, other_product_id
-- @owner team:data
-- @freshness 26h
with orders as (
    select * from warehouse.orders
),

products as (
    select * from warehouse.products
),

bought as (
    select distinct
        orders.customer_id,
        orders.order_date,
        orders.product_id
    from orders
    where orders.status not in ('cancelled', 'returned')
),

baskets as (
    select distinct
        bought.customer_id,
        bought.order_date
    from bought
),

all_baskets as (
    select count(*) as basket_count
    from baskets
),

singles as (
    select
        bought.product_id,
        count(*) as basket_count
    from bought
    group by bought.product_id
),

pairs as (
    select
        bought.product_id,
        other.product_id as other_product_id,
        count(*) as basket_count,
        count(distinct bought.customer_id) as customer_count
    from bought
    inner join bought as other
        on bought.customer_id = other.customer_id
        and bought.order_date = other.order_date
        and bought.product_id < other.product_id
    group by bought.product_id, other.product_id
    having count(*) >= 2
),

compared as (
    select
        pairs.product_id,
        pairs.other_product_id,
        pairs.basket_count,
        pairs.customer_count,
        single.basket_count as product_basket_count,
        other.basket_count as other_basket_count,
        pairs.basket_count * all_baskets.basket_count as met,
        single.basket_count * other.basket_count as expected
    from pairs
    inner join singles as single on pairs.product_id = single.product_id
    inner join singles as other on pairs.other_product_id = other.product_id
    cross join all_baskets
)

select
    compared.product_id::integer as product_id, -- The one product: the lower number
    compared.other_product_id::integer as other_product_id, -- The other product
    product.product_name::varchar(800) as product_name, -- Name of the one in the catalogue
    other.product_name::varchar(800) as other_product_name, -- Name of the other in the catalogue
    compared.basket_count::bigint as basket_count, -- Baskets with both
    compared.customer_count::bigint as customer_count, -- Customers who had both in a basket
    compared.product_basket_count::bigint as product_basket_count, -- Baskets with the one
    compared.other_basket_count::bigint as other_basket_count, -- Baskets with the other
    (((200 * compared.met + compared.expected) / (2 * compared.expected)) * 0.01)::decimal(12, 2) as lift -- Times as often together as by chance
from compared
inner join products as product on compared.product_id = product.product_id
inner join products as other on compared.other_product_id = other.product_id;
