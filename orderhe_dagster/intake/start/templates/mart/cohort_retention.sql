-- Of the customers who first bought in a month, how many buy again in the months after.
-- One row a cohort and month in which at least one of them has a kept order: neither cancelled nor returned. A cohort is
-- the customers with an account whose first kept order is of that calendar month; month 0 is the month itself. The share is
-- customers / size of the cohort, half a hundredth of a percent up. The latest month may not be over.
-- $taken
-- @grain cohort_month, month_number
with orders as (
    select * from warehouse.$orders
?undated|    where order_date is not null
),

active as (
    select distinct
        orders.customer_id,
        date_trunc('month', orders.order_date)::date as order_month
    from orders
    where orders.stage not in ('cancelled', 'returned')
        and orders.customer_id is not null
),

cohorts as (
    select
        active.customer_id,
        min(active.order_month) as cohort_month
    from active
    group by active.customer_id
),

sizes as (
    select
        cohorts.cohort_month,
        count(*) as cohort_size
    from cohorts
    group by cohorts.cohort_month
),

months as (
    select
        cohorts.cohort_month,
        datediff(month, cohorts.cohort_month, active.order_month) as month_number,
        count(*) as customer_count
    from active
    inner join cohorts on active.customer_id = cohorts.customer_id
    group by cohorts.cohort_month, datediff(month, cohorts.cohort_month, active.order_month)
)

select
    months.cohort_month, -- First day of the month of the first kept order
    months.month_number::integer as month_number, -- Months since then; 0: that month
    sizes.cohort_size, -- Customers of the cohort
    months.customer_count, -- Of them, customers with a kept order in that month
    (((20000 * months.customer_count + sizes.cohort_size) / (2 * sizes.cohort_size)) * 0.01)::decimal(5, 2) as retained_pct -- Share of the cohort, in percent
from months
inner join sizes on months.cohort_month = sizes.cohort_month;
