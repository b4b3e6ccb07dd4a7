-- What was sold in each month, and how much a kept order brought.
-- One row a calendar month with at least one order; the first and the latest month may hold a part of their days.
-- Amounts are won, by the price of the day. A kept order is neither cancelled nor returned, whenever that came.
-- net = gross - cancelled - returned; the average is net / kept orders, half a won up. Customers are
-- counted once a month, so they are not the sum of the days'. Delivery and taxes are not in the source.
-- Made of warehouse.orders alone: the backup's orders as the shop has them now.
-- @grain order_month
-- @owner team:data
-- @freshness 26h
-- @plot order_month, net_amount
with orders as (
    select * from warehouse.orders
),

months as (
    select
        date_trunc('month', orders.order_date)::date as order_month,
        count(distinct orders.order_date) as day_count,
        count(*) as order_count,
        count(distinct orders.customer_id) as customer_count,
        sum(orders.quantity)::bigint as units_sold,
        sum(orders.amount)::bigint as gross_amount,
        sum(case when orders.status = 'cancelled' then orders.amount else 0 end)::bigint as cancelled_amount,
        sum(case when orders.status = 'returned' then orders.amount else 0 end)::bigint as returned_amount,
        sum(case when orders.status in ('cancelled', 'returned') then 0 else orders.amount end)::bigint as net_amount,
        sum(case when orders.status in ('cancelled', 'returned') then 0 else 1 end)::bigint as kept_count
    from orders
    group by date_trunc('month', orders.order_date)::date
)

select
    months.order_month::date as order_month, -- First day of the month, in the shop's time zone
    months.day_count::bigint as day_count, -- Days with an order
    months.order_count::bigint as order_count, -- Orders placed
    months.customer_count::bigint as customer_count, -- Customers who ordered in the month
    months.units_sold::bigint as units_sold, -- Pieces ordered
    months.gross_amount::bigint as gross_amount, -- Amount of all orders, in won
    months.cancelled_amount::bigint as cancelled_amount, -- Amount of cancelled orders, in won
    months.returned_amount::bigint as returned_amount, -- Amount of returned orders, in won
    months.net_amount::bigint as net_amount, -- Amount less cancelled and returned orders, in won
    (case
        when months.net_amount < 0 then -((months.kept_count - 1 - 2 * months.net_amount) / nullif(2 * months.kept_count, 0))
        else (2 * months.net_amount + months.kept_count) / nullif(2 * months.kept_count, 0)
    end)::bigint as average_order_amount -- Net amount of one kept order, in won; NULL where none is kept
from months;
