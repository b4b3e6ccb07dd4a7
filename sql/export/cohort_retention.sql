-- Of the customers who first bought in a month, how many bought in each month since, for BI tools.
-- One row a cohort and month in which one of them bought; cancelled and returned orders are left out; percent of
-- the cohort, half a hundredth up. All of mart.cohort_retention. The latest month may not be over.
-- @grain cohort_month, month_number
-- @owner team:data
-- @freshness 26h
select
    cohort_retention.cohort_month::date as cohort_month, -- First day of the month of the first kept order
    cohort_retention.month_number::integer as month_number, -- Months since then; 0: that month
    cohort_retention.cohort_size::bigint as cohort_size, -- Customers of the cohort
    cohort_retention.customer_count::bigint as customer_count, -- Of them, customers with a kept order in that month
    cohort_retention.retained_pct::decimal(5, 2) as retained_pct -- Share of the cohort, in percent
from mart.cohort_retention
order by cohort_retention.cohort_month, cohort_retention.month_number;
