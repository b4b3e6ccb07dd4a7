-- How recently, how often and for how much each customer bought, and which segment that makes (RFM).
-- One row a customer of the shop, with or without orders. Only kept orders count: neither cancelled nor returned.
-- Each score is 1 to 5 by fifths: 1 + ((rank - 1) x 5) div n over the n customers with a kept order, where rank
-- goes up with the latest day, the orders and the amount, and equals share the lowest rank. Recency is counted to the
-- latest order date of the shop, not to the clock. Segments, the first that holds: prospect (no kept order),
-- champion (R >= 4, F >= 4), loyal (R = 3, F >= 4), at_risk (R <= 2, F >= 4), new (R >= 4, one order), promising (R >= 3),
-- sleeping (R = 2), lost. Names and addresses stay in the warehouse. Made of warehouse.customers and warehouse.orders.
-- @grain customer_id
-- @owner team:data
-- @freshness 26h
with customers as (
    select * from warehouse.customers
),

orders as (
    select * from warehouse.orders
),

latest as (
    select max(orders.order_date) as latest_date
    from orders
),

bought as (
    select
        orders.customer_id,
        min(orders.order_date) as first_order_date,
        max(orders.order_date) as last_order_date,
        count(*) as frequency,
        sum(orders.amount)::bigint as monetary_amount
    from orders
    where orders.status not in ('cancelled', 'returned')
    group by orders.customer_id
),

ranked as (
    select
        bought.customer_id,
        rank() over (order by bought.last_order_date) as recency_rank,
        rank() over (order by bought.frequency) as frequency_rank,
        rank() over (order by bought.monetary_amount) as monetary_rank,
        count(*) over () as buyer_count
    from bought
),

scored as (
    select
        ranked.customer_id,
        1 + ((ranked.recency_rank - 1) * 5) / ranked.buyer_count as recency_score,
        1 + ((ranked.frequency_rank - 1) * 5) / ranked.buyer_count as frequency_score,
        1 + ((ranked.monetary_rank - 1) * 5) / ranked.buyer_count as monetary_score
    from ranked
)

select
    customers.customer_id::integer as customer_id, -- Number of the account
    customers.signup_date::date as signup_date, -- Day the account was opened
    bought.first_order_date::date as first_order_date, -- Day of the first kept order; NULL: none
    bought.last_order_date::date as last_order_date, -- Day of the latest kept order; NULL: none
    (latest.latest_date - bought.last_order_date)::integer as recency_days, -- Days from there to the shop's latest order; NULL: none
    coalesce(bought.frequency, 0)::bigint as frequency, -- Kept orders
    coalesce(bought.monetary_amount, 0)::bigint as monetary_amount, -- Amount of the kept orders, in won
    scored.recency_score::smallint as recency_score, -- 1 to 5, 5: bought latest; NULL: no kept order
    scored.frequency_score::smallint as frequency_score, -- 1 to 5, 5: most orders; NULL: no kept order
    scored.monetary_score::smallint as monetary_score, -- 1 to 5, 5: highest amount; NULL: no kept order
    case
        when bought.customer_id is null then 'prospect'
        when scored.recency_score >= 4 and scored.frequency_score >= 4 then 'champion'
        when scored.recency_score = 3 and scored.frequency_score >= 4 then 'loyal'
        when scored.frequency_score >= 4 then 'at_risk'
        when scored.recency_score >= 4 and bought.frequency = 1 then 'new'
        when scored.recency_score >= 3 then 'promising'
        when scored.recency_score = 2 then 'sleeping'
        else 'lost'
    end::varchar(20) as segment -- prospect, champion, loyal, at_risk, new, promising, sleeping or lost
from customers
cross join latest
left join bought on customers.customer_id = bought.customer_id
left join scored on customers.customer_id = scored.customer_id;
