-- Every customer of the warehouse has a value, and nobody else has.
select
    customers.customer_id,
    customer_value.customer_id as valued_customer_id
from warehouse.customers
full outer join mart.customer_value on customers.customer_id = customer_value.customer_id
where customers.customer_id is null or customer_value.customer_id is null;
