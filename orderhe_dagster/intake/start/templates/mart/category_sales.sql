-- What each category sold on each day.
-- One row a day and category with at least one order. The category is the one the product has now, so a product that
-- moves takes its past along. Amounts are $currency, those of the order lines. $net
-- $taken
?lines_daily|-- @partition order_date
-- @grain order_date, category
-- @plot order_date, net_amount, category
with lines as (
    select * from warehouse.$lines
?undated|    where order_date is not null
)

select
    lines.order_date, -- Day of the orders$zone
    coalesce(lines.category, '') as category, -- Category; '' where a product has none
    count(distinct lines.order_id) as order_count, -- Orders with a line of it
?customer|    count(distinct lines.customer_id) as customer_count, -- Customers with an account who ordered of it
    sum(lines.quantity)::$count as units_sold, -- Pieces ordered
    sum(lines.amount)::$line_money as gross_amount, -- Amount of all lines, in $currency
    sum(case when lines.stage in ('cancelled', 'returned') then 0 else lines.amount end)::$line_money as net_amount -- $net_column, in $currency
from lines
group by lines.order_date, coalesce(lines.category, '');
