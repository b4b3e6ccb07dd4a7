-- A pair shares two baskets or more, and no more than either product has; no more customers than baskets.
select
    product_id,
    other_product_id,
    basket_count,
    customer_count,
    product_basket_count,
    other_basket_count
from mart.product_pairs
where basket_count < 2
    or basket_count > product_basket_count
    or basket_count > other_basket_count
    or customer_count > basket_count
    or customer_count < 1;
