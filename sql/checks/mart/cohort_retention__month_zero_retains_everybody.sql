-- Every cohort has its month 0, in which all of it bought; no month has more customers than the cohort.
with starts as (
    select
        cohort_month,
        customer_count,
        retained_pct
    from mart.cohort_retention
    where month_number = 0
)

select
    cohort_retention.cohort_month,
    cohort_retention.month_number,
    cohort_retention.cohort_size,
    cohort_retention.customer_count,
    cohort_retention.retained_pct,
    starts.customer_count as customers_of_month_zero,
    starts.retained_pct as retained_in_month_zero
from mart.cohort_retention
left join starts on cohort_retention.cohort_month = starts.cohort_month
where starts.cohort_month is null
    or starts.customer_count <> cohort_retention.cohort_size
    or starts.retained_pct <> 100
    or cohort_retention.customer_count > cohort_retention.cohort_size
    or cohort_retention.customer_count < 1
    or cohort_retention.month_number < 0;
