-- Customers who come back, for BI tools.
-- @grain counted_orders
-- @owner team:data
select
    repeat_customers.counted_orders::varchar(4) as counted_orders, -- Which invoices count
    repeat_customers.customers::bigint as customers, -- Customers with one invoice or more
    repeat_customers.repeat_customers::bigint as repeat_customers, -- Two or more
    repeat_customers.repeat_customer_pct::decimal(7, 4) as repeat_customer_pct -- In percent
from mart.repeat_customers
order by repeat_customers.counted_orders;
