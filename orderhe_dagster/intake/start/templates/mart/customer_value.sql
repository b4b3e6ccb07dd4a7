-- How recently, how often and for how much each customer bought, and which segment that makes (RFM).
-- One row a customer with a kept order: one that is neither cancelled nor returned. Each score is 1 to 5 by fifths:
-- 1 + ((rank - 1) x 5) div n over the n customers, where rank goes up with the latest day, the orders and the amount, and
-- equals share the lowest rank. Recency is counted to the latest order of the shop, not to the clock. Segments, the first
-- that holds: champion (R >= 4, F >= 4), loyal (R = 3, F >= 4), at_risk (R <= 2, F >= 4), new (R >= 4, one order),
-- promising (R >= 3), sleeping (R = 2), lost. Nobody's name or address is in it.
-- $taken
-- @grain customer_id
with orders as (
    select * from warehouse.$orders
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
        sum(orders.amount)::$money as monetary_amount
    from orders
    where orders.stage not in ('cancelled', 'returned')
        and orders.customer_id is not null
    group by orders.customer_id
),

ranked as (
    select
        bought.*,
        rank() over (order by coalesce(bought.last_order_date, '1900-01-01'::date)) as recency_rank,
        rank() over (order by bought.frequency) as frequency_rank,
        rank() over (order by bought.monetary_amount) as monetary_rank,
        count(*) over () as buyer_count
    from bought
),

scored as (
    select
        ranked.*,
        1 + ((ranked.recency_rank - 1) * 5) / ranked.buyer_count as recency_score,
        1 + ((ranked.frequency_rank - 1) * 5) / ranked.buyer_count as frequency_score,
        1 + ((ranked.monetary_rank - 1) * 5) / ranked.buyer_count as monetary_score
    from ranked
)

select
    scored.customer_id, -- Key of the account
    scored.first_order_date, -- Day of the first kept order
    scored.last_order_date, -- Day of the latest kept order
    latest.latest_date - scored.last_order_date as recency_days, -- Days from there to the shop's latest order
    scored.frequency, -- Kept orders
    scored.monetary_amount, -- Amount of the kept orders, in $currency
    scored.recency_score::smallint as recency_score, -- 1 to 5, 5: bought latest
    scored.frequency_score::smallint as frequency_score, -- 1 to 5, 5: most orders
    scored.monetary_score::smallint as monetary_score, -- 1 to 5, 5: highest amount
    case
        when scored.recency_score >= 4 and scored.frequency_score >= 4 then 'champion'
        when scored.recency_score = 3 and scored.frequency_score >= 4 then 'loyal'
        when scored.frequency_score >= 4 then 'at_risk'
        when scored.recency_score >= 4 and scored.frequency = 1 then 'new'
        when scored.recency_score >= 3 then 'promising'
        when scored.recency_score = 2 then 'sleeping'
        else 'lost'
    end::varchar(20) as segment -- champion, loyal, at_risk, new, promising, sleeping or lost
from scored
cross join latest;
