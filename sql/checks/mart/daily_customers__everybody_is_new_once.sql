-- Each day's new customers are those whose first kept order customer_value puts on that day.
with firsts as (
    select
        first_order_date,
        count(*) as customer_count
    from mart.customer_value
    where first_order_date is not null
    group by first_order_date
)

select
    coalesce(daily_customers.order_date, firsts.first_order_date) as order_date,
    daily_customers.new_customer_count,
    firsts.customer_count as first_orders_in_customer_value
from mart.daily_customers
full outer join firsts on daily_customers.order_date = firsts.first_order_date
where coalesce(daily_customers.new_customer_count, 0) <> coalesce(firsts.customer_count, 0);
