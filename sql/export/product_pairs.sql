-- Products that are bought together, for BI tools: one row a pair that shares two baskets or more.
-- A basket is what one customer bought on one day, cancelled and returned orders left out; lift above 1 is more
-- often than by chance. All of mart.product_pairs, which has the formula.
-- @grain product_id, other_product_id
-- @owner team:data
-- @freshness 26h
select
    product_pairs.product_id::integer as product_id, -- The one product: the lower number
    product_pairs.other_product_id::integer as other_product_id, -- The other product
    product_pairs.product_name::varchar(800) as product_name, -- Name of the one in the catalogue
    product_pairs.other_product_name::varchar(800) as other_product_name, -- Name of the other in the catalogue
    product_pairs.basket_count::bigint as basket_count, -- Baskets with both
    product_pairs.customer_count::bigint as customer_count, -- Customers who had both in a basket
    product_pairs.product_basket_count::bigint as product_basket_count, -- Baskets with the one
    product_pairs.other_basket_count::bigint as other_basket_count, -- Baskets with the other
    product_pairs.lift::decimal(12, 2) as lift -- Times as often together as by chance
from mart.product_pairs
order by product_pairs.product_id, product_pairs.other_product_id;
