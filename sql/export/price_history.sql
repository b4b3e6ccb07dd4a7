-- What each product was sold for and since when, for BI tools: one row a product and span at one price.
-- Won, by the lowest price of a selling day, all orders counted; days without an order leave no trace.
-- All of mart.price_history.
-- @grain product_id, valid_from
-- @owner team:data
-- @freshness 26h
select
    price_history.product_id::integer as product_id, -- Number of the product
    price_history.product_name::varchar(800) as product_name, -- Name in the catalogue
    price_history.category::varchar(160) as category, -- Department
    price_history.valid_from::date as valid_from, -- First selling day at the price, in the shop's time zone
    price_history.valid_to::date as valid_to, -- Last selling day at the price
    price_history.unit_price::integer as unit_price, -- Price of one, in won
    price_history.previous_unit_price::integer as previous_unit_price, -- Price before, in won; NULL: the first
    price_history.price_change::integer as price_change, -- unit_price - previous_unit_price, in won; NULL: the first
    price_history.price_change_pct::decimal(14, 2) as price_change_pct, -- Change in percent of the price before; NULL: the first, or it was 0
    price_history.order_count::bigint as order_count, -- Orders of these days
    price_history.units_sold::bigint as units_sold -- Pieces ordered on these days
from mart.price_history
order by price_history.product_id, price_history.valid_from;
