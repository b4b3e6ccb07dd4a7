-- What was sold in each month, and how much a kept order brought.
-- One row a calendar month with at least one order; the first and the latest month may hold a part of their days.
-- Amounts are $currency. $net Customers are counted once a month, so they are not the sum of the days'.
-- $taken
-- @grain order_month
-- @plot order_month, net_amount
with orders as (
    select * from warehouse.$orders
?undated|    where order_date is not null
),

months as (
    select
        date_trunc('month', orders.order_date)::date as order_month,
        count(distinct orders.order_date) as day_count,
        count(*) as order_count,
?customer|        count(distinct orders.customer_id) as customer_count,
        sum(orders.amount)::$money as gross_amount,
?cancelled|        sum(case when orders.stage = 'cancelled' then orders.amount else 0 end)::$money as cancelled_amount,
?returned|        sum(case when orders.stage = 'returned' then orders.amount else 0 end)::$money as returned_amount,
        sum(case when orders.stage in ('cancelled', 'returned') then 0 else orders.amount end)::$money as net_amount,
        sum(case when orders.stage in ('cancelled', 'returned') then 0 else 1 end) as kept_count
    from orders
    group by date_trunc('month', orders.order_date)::date
),

counted as (
    select
        months.*,
?cents|        (months.net_amount * 100)::bigint as net_units
?whole|        months.net_amount as net_units
    from months
)

select
    counted.order_month, -- First day of the month$zone
    counted.day_count, -- Days with an order
    counted.order_count, -- Orders placed
?customer|    counted.customer_count, -- Customers with an account who ordered in the month
    counted.gross_amount, -- Amount of all orders, in $currency
?cancelled|    counted.cancelled_amount, -- Amount of cancelled orders, in $currency
?returned|    counted.returned_amount, -- Amount of returned or refunded orders, in $currency
    counted.net_amount, -- $net_column, in $currency
    (case
        when counted.net_units < 0 then -((counted.kept_count - 1 - 2 * counted.net_units) / nullif(2 * counted.kept_count, 0))
        else (2 * counted.net_units + counted.kept_count) / nullif(2 * counted.kept_count, 0)
?cents|    end * 0.01)::decimal(18, 2) as average_order_amount -- Net amount of one kept order, half a hundredth up; NULL where none is kept
?whole|    end)::bigint as average_order_amount -- Net amount of one kept order, half of one up; NULL where none is kept
from counted;
