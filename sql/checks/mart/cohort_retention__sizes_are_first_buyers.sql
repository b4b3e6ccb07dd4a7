-- The size of a cohort is the number of customers whose first kept order customer_value puts in its month; so
-- the cohorts have all customers with a kept order between them.
with cohorts as (
    select distinct
        cohort_month,
        cohort_size
    from mart.cohort_retention
),

buyers as (
    select
        date_trunc('month', first_order_date)::date as cohort_month,
        count(*) as customer_count
    from mart.customer_value
    where first_order_date is not null
    group by date_trunc('month', first_order_date)::date
)

select
    coalesce(cohorts.cohort_month, buyers.cohort_month) as cohort_month,
    cohorts.cohort_size,
    buyers.customer_count as first_buyers
from cohorts
full outer join buyers on cohorts.cohort_month = buyers.cohort_month
where cohorts.cohort_month is null
    or buyers.cohort_month is null
    or cohorts.cohort_size <> buyers.customer_count;
