-- The products have the orders, pieces and amounts of all days in daily_sales between them; the latest 30 days
-- and the 30 before them are those of daily_sales, too.
with latest as (
    select max(order_date) as latest_date
    from mart.daily_sales
),

days as (
    select
        coalesce(sum(daily_sales.order_count), 0) as order_count,
        coalesce(sum(daily_sales.units_sold), 0) as units_sold,
        coalesce(sum(daily_sales.gross_amount), 0) as gross_amount,
        coalesce(sum(daily_sales.net_amount), 0) as net_amount,
        coalesce(sum(case
            when latest.latest_date - daily_sales.order_date < 30 then daily_sales.net_amount
        end), 0) as recent_net_amount,
        coalesce(sum(case
            when latest.latest_date - daily_sales.order_date between 30 and 59 then daily_sales.net_amount
        end), 0) as previous_net_amount
    from mart.daily_sales
    cross join latest
),

products as (
    select
        coalesce(sum(order_count), 0) as order_count,
        coalesce(sum(units_sold), 0) as units_sold,
        coalesce(sum(gross_amount), 0) as gross_amount,
        coalesce(sum(net_amount), 0) as net_amount,
        coalesce(sum(recent_net_amount), 0) as recent_net_amount,
        coalesce(sum(previous_net_amount), 0) as previous_net_amount
    from mart.product_sales
)

select
    products.order_count,
    days.order_count as orders_of_days,
    products.units_sold,
    days.units_sold as units_of_days,
    products.gross_amount,
    days.gross_amount as gross_of_days,
    products.net_amount,
    days.net_amount as net_of_days,
    products.recent_net_amount,
    days.recent_net_amount as recent_net_of_days,
    products.previous_net_amount,
    days.previous_net_amount as previous_net_of_days
from products
cross join days
where products.order_count <> days.order_count
    or products.units_sold <> days.units_sold
    or products.gross_amount <> days.gross_amount
    or products.net_amount <> days.net_amount
    or products.recent_net_amount <> days.recent_net_amount
    or products.previous_net_amount <> days.previous_net_amount;
