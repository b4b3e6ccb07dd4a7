-- A customer is first seen at the time of the first line.
select
    customers.customer_id,
    customers.first_seen_at,
    min(orders.order_date) as first_order_date
from warehouse.customers
inner join warehouse.orders on customers.customer_id = orders.customer_id
group by customers.customer_id, customers.first_seen_at
having customers.first_seen_at <> min(orders.order_date);
