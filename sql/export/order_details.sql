-- Every order with its customer's and product's kind, for BI tools. No names, no addresses.
-- @partition order_date
-- @grain order_id
-- @owner team:data
-- @freshness 26h
select
    order_details.order_id::bigint as order_id, -- Number of the order
    order_details.order_date::date as order_date, -- Day of the order, in the shop's time zone
    order_details.customer_id::integer as customer_id, -- Who ordered
    order_details.customer_locale::varchar(20) as customer_locale, -- Language of the account
    order_details.customer_city::varchar(320) as customer_city, -- City or province
    order_details.product_id::integer as product_id, -- What was ordered
    order_details.product_name::varchar(800) as product_name, -- Name in the catalogue
    order_details.category::varchar(160) as category, -- Department
    order_details.brand::varchar(240) as brand, -- Maker
    order_details.channel::varchar(20) as channel, -- Where it was placed
    order_details.status::varchar(36) as status, -- Where the order stands
    order_details.quantity::integer as quantity, -- How many
    order_details.unit_price::integer as unit_price, -- Price of one on that day, in won
    order_details.amount::integer as amount -- quantity x unit_price, in won
from mart.order_details
order by order_details.order_date, order_details.order_id;
