-- The spans of a product have all its orders and pieces in product_sales, from its first day to its latest.
with products as (
    select
        product_id,
        sum(order_count) as order_count,
        sum(units_sold) as units_sold,
        min(valid_from) as first_day,
        max(valid_to) as last_day
    from mart.price_history
    group by product_id
)

select
    coalesce(products.product_id, product_sales.product_id) as product_id,
    products.order_count as orders_of_spans,
    product_sales.order_count,
    products.units_sold as units_of_spans,
    product_sales.units_sold,
    products.first_day,
    product_sales.first_order_date,
    products.last_day,
    product_sales.last_order_date
from products
full outer join mart.product_sales on products.product_id = product_sales.product_id
where products.product_id is null
    or product_sales.product_id is null
    or products.order_count <> product_sales.order_count
    or products.units_sold <> product_sales.units_sold
    or products.first_day <> product_sales.first_order_date
    or products.last_day <> product_sales.last_order_date;
