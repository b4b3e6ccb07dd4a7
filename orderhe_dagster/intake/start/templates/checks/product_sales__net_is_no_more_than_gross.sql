-- What was kept of a product is part of what was ordered; lately is part of it all.
select
    product_id,
    order_count,
    first_order_date,
    last_order_date
from mart.product_sales
where order_count < 1
    or first_order_date > last_order_date;
