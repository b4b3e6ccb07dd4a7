-- The stock codes' sales add up to those of all lines: no line is lost between them.
with lines as (
    select
        count(*) as order_lines,
        sum(amount) as amount
    from warehouse.orders
),

codes as (
    select
        sum(order_lines) as order_lines,
        sum(amount) as amount
    from mart.product_sales
)

select
    lines.order_lines,
    codes.order_lines as order_lines_of_codes,
    lines.amount,
    codes.amount as amount_of_codes
from lines
cross join codes
where lines.order_lines <> codes.order_lines or lines.amount <> codes.amount;
