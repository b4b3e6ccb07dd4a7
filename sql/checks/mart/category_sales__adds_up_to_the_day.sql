-- The categories of a day have the orders, pieces and amounts of the day in daily_sales, and its customers: no
-- category more than the day, and all of them together no fewer.
with days as (
    select
        order_date,
        sum(order_count) as order_count,
        max(customer_count) as most_customers,
        sum(customer_count) as all_customers,
        sum(units_sold) as units_sold,
        sum(gross_amount) as gross_amount,
        sum(net_amount) as net_amount
    from mart.category_sales
    group by order_date
)

select
    coalesce(daily_sales.order_date, days.order_date) as order_date,
    daily_sales.order_count,
    days.order_count as orders_of_categories,
    daily_sales.customer_count,
    days.most_customers as customers_of_largest_category,
    days.all_customers as customers_of_categories,
    daily_sales.units_sold,
    days.units_sold as units_of_categories,
    daily_sales.gross_amount,
    days.gross_amount as gross_of_categories,
    daily_sales.net_amount,
    days.net_amount as net_of_categories
from mart.daily_sales
full outer join days on daily_sales.order_date = days.order_date
where daily_sales.order_date is null
    or days.order_date is null
    or daily_sales.order_count <> days.order_count
    or daily_sales.customer_count < days.most_customers
    or daily_sales.customer_count > days.all_customers
    or daily_sales.units_sold <> days.units_sold
    or daily_sales.gross_amount <> days.gross_amount
    or daily_sales.net_amount <> days.net_amount;
