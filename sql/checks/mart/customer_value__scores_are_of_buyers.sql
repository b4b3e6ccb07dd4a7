-- Who has a kept order has first and latest day, days since then and three scores from 1 to 5; a prospect has none.
select
    customer_id,
    first_order_date,
    last_order_date,
    recency_days,
    frequency,
    recency_score,
    frequency_score,
    monetary_score,
    segment
from mart.customer_value
where (
        frequency = 0
        and (
            segment <> 'prospect'
            or monetary_amount <> 0
            or coalesce(recency_days, recency_score, frequency_score, monetary_score) is not null
            or coalesce(first_order_date, last_order_date) is not null
        )
    )
    or (
        frequency > 0
        and (
            segment = 'prospect'
            or first_order_date is null
            or last_order_date is null
            or first_order_date > last_order_date
            or recency_days is null
            or recency_days < 0
            or recency_score is null
            or recency_score not between 1 and 5
            or frequency_score is null
            or frequency_score not between 1 and 5
            or monetary_score is null
            or monetary_score not between 1 and 5
        )
    )
    or frequency < 0;
