-- The orders and the net amount of a month are those of its days.
with days as (
    select
        date_trunc('month', order_date)::date as order_month,
        sum(order_count)::bigint as order_count,
        sum(net_amount)::$money as net_amount
    from mart.daily_sales
    group by date_trunc('month', order_date)::date
)

select
    coalesce(monthly_sales.order_month, days.order_month) as order_month,
    monthly_sales.order_count,
    days.order_count as order_count_of_days
from mart.monthly_sales
full outer join days on monthly_sales.order_month = days.order_month
where monthly_sales.order_month is null
    or days.order_month is null
    or monthly_sales.order_count <> days.order_count
    or monthly_sales.net_amount <> days.net_amount;
