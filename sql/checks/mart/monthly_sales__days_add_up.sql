-- Days, orders, pieces and amounts of a month are those of its days in daily_sales, and no month is missing.
with days as (
    select
        date_trunc('month', order_date)::date as order_month,
        count(*) as day_count,
        sum(order_count) as order_count,
        sum(units_sold) as units_sold,
        sum(gross_amount) as gross_amount,
        sum(cancelled_amount) as cancelled_amount,
        sum(returned_amount) as returned_amount,
        sum(net_amount) as net_amount
    from mart.daily_sales
    group by date_trunc('month', order_date)::date
)

select
    coalesce(monthly_sales.order_month, days.order_month) as order_month,
    monthly_sales.day_count,
    days.day_count as days_of_daily_sales,
    monthly_sales.order_count,
    days.order_count as orders_of_days,
    monthly_sales.units_sold,
    days.units_sold as units_of_days,
    monthly_sales.gross_amount,
    days.gross_amount as gross_of_days,
    monthly_sales.cancelled_amount,
    days.cancelled_amount as cancelled_of_days,
    monthly_sales.returned_amount,
    days.returned_amount as returned_of_days,
    monthly_sales.net_amount,
    days.net_amount as net_of_days
from mart.monthly_sales
full outer join days on monthly_sales.order_month = days.order_month
where monthly_sales.order_month is null
    or days.order_month is null
    or monthly_sales.day_count <> days.day_count
    or monthly_sales.order_count <> days.order_count
    or monthly_sales.units_sold <> days.units_sold
    or monthly_sales.gross_amount <> days.gross_amount
    or monthly_sales.cancelled_amount <> days.cancelled_amount
    or monthly_sales.returned_amount <> days.returned_amount
    or monthly_sales.net_amount <> days.net_amount;
