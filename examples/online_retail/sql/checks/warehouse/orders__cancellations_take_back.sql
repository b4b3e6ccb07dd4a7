-- A line of a cancellation (C…) takes pieces back; it never adds any.
select
    order_id,
    source_order_no,
    quantity
from warehouse.orders
where source_order_no like 'C%' and quantity >= 0;
