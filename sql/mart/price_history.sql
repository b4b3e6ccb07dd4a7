-- What each product was sold for, and since when.
-- One row a product and span of consecutive selling days at one price. The price of a product on a day is the
-- lowest unit price among its orders of that day, whatever became of them; a span begins on the first selling day
-- whose price differs from the selling day before. Days without an order leave no trace: a price that nobody
-- bought at is not seen. Percent of change are rounded to hundredths, halves away from zero. Prices are won.
-- Made of warehouse.orders, with names from warehouse.products.
-- @grain product_id, valid_from
-- @owner team:data
-- @freshness 26h
with orders as (
    select * from warehouse.orders
),

products as (
    select * from warehouse.products
),

days as (
    select
        orders.product_id,
        orders.order_date,
        min(orders.unit_price) as unit_price,
        count(*) as order_count,
        sum(orders.quantity)::bigint as units_sold
    from orders
    group by orders.product_id, orders.order_date
),

compared as (
    select
        days.*,
        lag(days.unit_price) over (partition by days.product_id order by days.order_date) as previous_unit_price
    from days
),

numbered as (
    select
        compared.*,
        sum(case when compared.unit_price = compared.previous_unit_price then 0 else 1 end) over (
            partition by compared.product_id
            order by compared.order_date
            rows unbounded preceding
        )::bigint as span_number
    from compared
),

spans as (
    select
        numbered.product_id,
        min(numbered.order_date) as valid_from,
        max(numbered.order_date) as valid_to,
        min(numbered.unit_price) as unit_price,
        sum(numbered.order_count)::bigint as order_count,
        sum(numbered.units_sold)::bigint as units_sold
    from numbered
    group by numbered.product_id, numbered.span_number
),

changes as (
    select
        spans.*,
        lag(spans.unit_price) over (partition by spans.product_id order by spans.valid_from) as previous_unit_price
    from spans
),

measured as (
    select
        changes.*,
        changes.unit_price - changes.previous_unit_price as price_change,
        20000::bigint * (changes.unit_price - changes.previous_unit_price) as doubled_change
    from changes
)

select
    measured.product_id::integer as product_id, -- Number of the product
    products.product_name::varchar(800) as product_name, -- Name in the catalogue
    products.category::varchar(160) as category, -- Department
    measured.valid_from::date as valid_from, -- First selling day at the price, in the shop's time zone
    measured.valid_to::date as valid_to, -- Last selling day at the price
    measured.unit_price::integer as unit_price, -- Price of one, in won
    measured.previous_unit_price::integer as previous_unit_price, -- Price before, in won; NULL: the first
    measured.price_change::integer as price_change, -- unit_price - previous_unit_price, in won; NULL: the first
    (
        (
            measured.doubled_change
            + case when measured.doubled_change < 0 then -1 else 1 end * abs(measured.previous_unit_price)
        ) / nullif(2 * measured.previous_unit_price::bigint, 0) * 0.01
    )::decimal(14, 2) as price_change_pct, -- Change in percent of the price before; NULL: the first, or it was 0
    measured.order_count::bigint as order_count, -- Orders of these days
    measured.units_sold::bigint as units_sold -- Pieces ordered on these days
from measured
inner join products on measured.product_id = products.product_id;
