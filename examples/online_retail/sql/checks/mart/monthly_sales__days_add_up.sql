-- The lines, pieces and amounts of a month's days add up to the month's.
with days as (
    select
        date_trunc('month', order_date)::date as month_start_date,
        sum(order_lines) as order_lines,
        sum(quantity) as quantity,
        sum(amount) as amount
    from mart.daily_sales
    group by date_trunc('month', order_date)::date
)

select
    monthly_sales.month_start_date,
    monthly_sales.order_lines,
    days.order_lines as order_lines_of_days,
    monthly_sales.amount,
    days.amount as amount_of_days
from mart.monthly_sales
left join days on monthly_sales.month_start_date = days.month_start_date
where days.month_start_date is null
    or monthly_sales.order_lines <> days.order_lines
    or monthly_sales.quantity <> days.quantity
    or monthly_sales.amount <> days.amount;
