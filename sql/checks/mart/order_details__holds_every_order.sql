-- No order of the warehouse is missing from the integrated data set.
select orders.order_id
from warehouse.orders
left join mart.order_details on orders.order_id = order_details.order_id
where order_details.order_id is null;
