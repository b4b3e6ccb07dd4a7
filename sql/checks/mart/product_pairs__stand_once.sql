-- The product with the lower number stands first, so that no pair stands twice.
select
    product_id,
    other_product_id,
    basket_count
from mart.product_pairs
where product_id >= other_product_id;
