-- The amount of an order is its quantity times the price of one.
select
    order_id,
    quantity,
    unit_price,
    amount
from warehouse.orders
where amount <> quantity * unit_price;
