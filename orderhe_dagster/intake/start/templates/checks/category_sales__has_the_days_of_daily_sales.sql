-- A day with a line is a day with an order.
select
    category_sales.order_date,
    category_sales.category
from mart.category_sales
left join mart.daily_sales on category_sales.order_date = daily_sales.order_date
where daily_sales.order_date is null;
