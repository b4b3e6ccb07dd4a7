-- A product's spans do not overlap, none ends before it begins, and each knows the price of the one before, which
-- is another.
with spans as (
    select
        product_id,
        valid_from,
        valid_to,
        unit_price,
        previous_unit_price,
        lag(valid_to) over (partition by product_id order by valid_from) as previous_valid_to,
        lag(unit_price) over (partition by product_id order by valid_from) as price_before
    from mart.price_history
)

select
    product_id,
    valid_from,
    valid_to,
    unit_price,
    previous_unit_price,
    previous_valid_to,
    price_before
from spans
where valid_from > valid_to
    or valid_from <= previous_valid_to
    or unit_price = price_before
    or previous_unit_price <> price_before
    or (previous_unit_price is null and price_before is not null)
    or (previous_unit_price is not null and price_before is null);
