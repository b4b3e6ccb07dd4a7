-- Customers, orders and amount of each segment are those of its customers in customer_value.
with customers as (
    select
        segment,
        count(*) as customer_count,
        sum(frequency) as order_count,
        sum(monetary_amount) as net_amount
    from mart.customer_value
    group by segment
)

select
    coalesce(customer_segments.segment, customers.segment) as segment,
    customer_segments.customer_count,
    customers.customer_count as customers_of_value,
    customer_segments.order_count,
    customers.order_count as orders_of_value,
    customer_segments.net_amount,
    customers.net_amount as net_of_value
from mart.customer_segments
full outer join customers on customer_segments.segment = customers.segment
where customer_segments.segment is null
    or customers.segment is null
    or customer_segments.customer_count <> customers.customer_count
    or customer_segments.order_count <> customers.order_count
    or customer_segments.net_amount <> customers.net_amount;
