-- What the customers are worth together is the net amount of all days in daily_sales.
with customers as (
    select coalesce(sum(monetary_amount), 0) as monetary_amount
    from mart.customer_value
),

days as (
    select coalesce(sum(net_amount), 0) as net_amount
    from mart.daily_sales
)

select
    customers.monetary_amount,
    days.net_amount as net_of_days
from customers
cross join days
where customers.monetary_amount <> days.net_amount;
