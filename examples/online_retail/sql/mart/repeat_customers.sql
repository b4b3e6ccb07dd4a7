-- How many customers come back.
-- One row for each way of counting: `all` counts every invoice, cancellations included;
-- `paid` counts invoices above zero. A customer with two or more is a repeat customer.
-- @grain counted_orders
-- @owner team:data
with customer_sales as (
    select * from mart.customer_sales
),

counted as (
    select
        'all' as counted_orders,
        customer_sales.orders as orders
    from customer_sales
    union all
    select
        'paid' as counted_orders,
        customer_sales.paid_orders as orders
    from customer_sales
)

select
    counted.counted_orders::varchar(4) as counted_orders, -- Which invoices count
    count(*)::bigint as customers, -- Customers with one invoice or more
    sum(case when counted.orders >= 2 then 1 else 0 end)::bigint as repeat_customers, -- Two or more
    round(
        100.0 * sum(case when counted.orders >= 2 then 1 else 0 end) / count(*), 4
    )::decimal(7, 4) as repeat_customer_pct -- Share of repeat customers, in percent
from counted
where counted.orders >= 1
group by counted.counted_orders;
