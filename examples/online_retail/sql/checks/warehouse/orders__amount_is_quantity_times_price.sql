-- The amount of a line is its quantity times the price of one, to the tenth of a penny.
select
    order_id,
    quantity,
    unit_price,
    amount
from warehouse.orders
where amount <> quantity * unit_price;
