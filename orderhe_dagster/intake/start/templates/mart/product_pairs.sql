-- Which products are bought together.
-- One row a pair of products that share two orders or more; orders that were cancelled or returned are left out. Lift is
-- shared orders x all orders with lines / (orders of the one x orders of the other), half a hundredth up: above 1, the two
-- meet more often than by chance. A lift of few orders says little: read it with basket_count.
-- $taken
-- @grain product_id, other_product_id
with bought as (
    select
        order_id,
        product_id,
        max(product_name) as product_name
    from warehouse.$lines
    where stage not in ('cancelled', 'returned')
        and product_id is not null
    group by order_id, product_id
),

all_baskets as (
    select count(distinct bought.order_id) as basket_count
    from bought
),

singles as (
    select
        bought.product_id,
        max(bought.product_name) as product_name,
        count(*) as basket_count
    from bought
    group by bought.product_id
),

pairs as (
    select
        bought.product_id,
        other.product_id as other_product_id,
        count(*) as basket_count
    from bought
    inner join bought as other
        on bought.order_id = other.order_id
        and bought.product_id < other.product_id
    group by bought.product_id, other.product_id
    having count(*) >= 2
),

compared as (
    select
        pairs.product_id,
        pairs.other_product_id,
        pairs.basket_count,
        single.product_name,
        other.product_name as other_product_name,
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
    compared.product_id, -- The one product
    compared.other_product_id, -- The other product
    compared.product_name, -- Name of the one
    compared.other_product_name, -- Name of the other
    compared.basket_count, -- Orders with both
    compared.product_basket_count, -- Orders with the one
    compared.other_basket_count, -- Orders with the other
    (((200 * compared.met + compared.expected) / (2 * compared.expected)) * 0.01)::decimal(18, 2) as lift -- Times as often together as by chance
from compared;
