-- The segments have all customers of the warehouse between them.
with segments as (
    select coalesce(sum(customer_count), 0) as customer_count
    from mart.customer_segments
),

customers as (
    select count(*) as customer_count
    from warehouse.customers
)

select
    segments.customer_count as customers_of_segments,
    customers.customer_count as all_customers
from segments
cross join customers
where segments.customer_count <> customers.customer_count;
