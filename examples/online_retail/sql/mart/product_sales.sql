-- What each stock code has sold, over the whole history.
-- One row a code that was ever invoiced: postage, fees and corrections are codes too.
-- Amounts are pounds, cancellations taken off. The latest 30 days end with the shop's last day with a line.
-- @grain product_id
-- @owner team:data
with orders as (
    select * from warehouse.orders
),

products as (
    select * from warehouse.products
),

latest as (
    select max(orders.order_date::date) as latest_date
    from orders
),

sales as (
    select
        orders.product_id,
        count(*) as order_lines,
        count(distinct orders.source_order_no) as orders,
        count(distinct orders.customer_id) as customers,
        sum(orders.quantity) as quantity,
        sum(orders.amount) as amount,
        min(orders.order_date) as first_order_date,
        max(orders.order_date) as last_order_date,
        sum(case
            when latest.latest_date - orders.order_date::date < 30 then orders.amount else 0
        end) as recent_amount,
        sum(case
            when latest.latest_date - orders.order_date::date between 30 and 59 then orders.amount
            else 0
        end) as previous_amount
    from orders
    cross join latest
    group by orders.product_id
)

select
    sales.product_id::varchar(80) as product_id, -- Stock code; capitals count
    products.description::varchar(400) as description, -- Most frequent text of its lines
    sales.order_lines::bigint as order_lines, -- Lines invoiced
    sales.orders::bigint as orders, -- Invoices, cancellations included
    sales.customers::bigint as customers, -- Customers who are known
    sales.quantity::bigint as quantity, -- Pieces, less those taken back
    sales.amount::decimal(38, 3) as amount, -- Amount less cancellations, in pounds
    sales.first_order_date::date as first_order_date, -- Day of the first line
    sales.last_order_date::date as last_order_date, -- Day of the latest line
    sales.recent_amount::decimal(38, 3) as recent_amount, -- Amount of the shop's latest 30 days, in pounds
    sales.previous_amount::decimal(38, 3) as previous_amount -- Amount of the 30 days before those, in pounds
from sales
inner join products on sales.product_id = products.product_id;
