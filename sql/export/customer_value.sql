-- Recency, frequency, amount, scores and segment of every customer, for BI tools: numbers, no names.
-- Won; cancelled and returned orders are left out; scores are fifths, 5 is best, and segments follow from them.
-- All of mart.customer_value, which has the formulas.
-- @grain customer_id
-- @owner team:data
-- @freshness 26h
select
    customer_value.customer_id::integer as customer_id, -- Number of the account
    customer_value.signup_date::date as signup_date, -- Day the account was opened
    customer_value.first_order_date::date as first_order_date, -- Day of the first kept order; NULL: none
    customer_value.last_order_date::date as last_order_date, -- Day of the latest kept order; NULL: none
    customer_value.recency_days::integer as recency_days, -- Days from there to the shop's latest order; NULL: none
    customer_value.frequency::bigint as frequency, -- Kept orders
    customer_value.monetary_amount::bigint as monetary_amount, -- Amount of the kept orders, in won
    customer_value.recency_score::smallint as recency_score, -- 1 to 5, 5: bought latest; NULL: no kept order
    customer_value.frequency_score::smallint as frequency_score, -- 1 to 5, 5: most orders; NULL: no kept order
    customer_value.monetary_score::smallint as monetary_score, -- 1 to 5, 5: highest amount; NULL: no kept order
    customer_value.segment::varchar(20) as segment -- prospect, champion, loyal, at_risk, new, promising, sleeping or lost
from mart.customer_value
order by customer_value.customer_id;
