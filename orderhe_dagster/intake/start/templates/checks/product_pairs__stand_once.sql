-- A pair stands once, and shares no more orders than each of the two has.
select
    product_id,
    other_product_id,
    basket_count
from mart.product_pairs
where product_id >= other_product_id
    or basket_count > product_basket_count
    or basket_count > other_basket_count;
