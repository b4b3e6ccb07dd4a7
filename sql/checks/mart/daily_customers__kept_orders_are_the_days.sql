-- First and repeat orders of a day are its orders less those cancelled or returned, as order_funnel counts them.
with kept as (
    select
        order_date,
        placed_count - cancelled_count - returned_count as kept_count
    from mart.order_funnel
    where placed_count > cancelled_count + returned_count
)

select
    coalesce(daily_customers.order_date, kept.order_date) as order_date,
    daily_customers.first_order_count,
    daily_customers.repeat_order_count,
    kept.kept_count
from mart.daily_customers
full outer join kept on daily_customers.order_date = kept.order_date
where daily_customers.order_date is null
    or kept.order_date is null
    or daily_customers.first_order_count + daily_customers.repeat_order_count <> kept.kept_count;
