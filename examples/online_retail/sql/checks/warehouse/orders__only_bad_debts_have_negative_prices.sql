-- A price below zero stands only on an adjustment of bad debt (A…); returns have negative quantities.
select
    order_id,
    source_order_no,
    unit_price
from warehouse.orders
where unit_price < 0 and source_order_no not like 'A%';
