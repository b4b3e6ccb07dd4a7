-- What each product has sold, over the whole history and lately.
-- One row a product that was ordered at least once. Amounts are $currency, those of the order lines: without delivery, and
-- without a discount on the whole order. $net Lately is the 30 days that end with the latest order of the shop, whatever
-- the clock says; previous is the 30 days before those.
-- $taken
-- @grain product_id
?category|-- @plot category, net_amount
with lines as (
    select * from warehouse.$lines
    where product_id is not null
),

latest as (
    select max(order_date) as latest_date
    from warehouse.$orders
),

sold as (
    select
        lines.*,
        case when lines.stage in ('cancelled', 'returned') then 0 else lines.amount end as kept_amount,
        latest.latest_date - lines.order_date as days_ago
    from lines
    cross join latest
)

select
    sold.product_id, -- Key of the product
?named|    max(sold.product_name) as product_name, -- Name of the product
?category|    max(sold.category) as category, -- Category of the product
    count(distinct sold.order_id) as order_count, -- Orders it stands in
?customer|    count(distinct sold.customer_id) as customer_count, -- Customers with an account who ordered it
    sum(sold.quantity)::$count as units_sold, -- Pieces ordered
    sum(sold.amount)::$line_money as gross_amount, -- Amount of all its lines, in $currency
    sum(sold.kept_amount)::$line_money as net_amount, -- $net_column, in $currency
    min(sold.order_date) as first_order_date, -- Day of the first order
    max(sold.order_date) as last_order_date, -- Day of the latest order
    sum(case when sold.days_ago < 30 then sold.kept_amount else 0 end)::$line_money as recent_net_amount, -- Net amount of the latest 30 days of the shop, in $currency
    sum(case when sold.days_ago between 30 and 59 then sold.kept_amount else 0 end)::$line_money as previous_net_amount -- Net amount of the 30 days before those, in $currency
from sold
group by sold.product_id;
