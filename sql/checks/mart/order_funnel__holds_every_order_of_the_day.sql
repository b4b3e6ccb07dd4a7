-- The orders placed on a day are those of daily_sales.
select
    coalesce(order_funnel.order_date, daily_sales.order_date) as order_date,
    order_funnel.placed_count,
    daily_sales.order_count
from mart.order_funnel
full outer join mart.daily_sales on order_funnel.order_date = daily_sales.order_date
where order_funnel.order_date is null
    or daily_sales.order_date is null
    or order_funnel.placed_count <> daily_sales.order_count;
