-- The orders of a day are those of daily_sales, whatever their status.
with days as (
    select
        order_date,
        sum(order_count)::bigint as order_count
    from mart.order_status
    group by order_date
)

select
    coalesce(days.order_date, daily_sales.order_date) as order_date,
    days.order_count,
    daily_sales.order_count as order_count_of_sales
from days
full outer join mart.daily_sales on days.order_date = daily_sales.order_date
where days.order_date is null
    or daily_sales.order_date is null
    or days.order_count <> daily_sales.order_count;
