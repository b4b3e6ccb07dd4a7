-- In their own month all customers of a cohort bought, and never more than there are.
select
    cohort_month,
    month_number,
    cohort_size,
    customer_count
from mart.cohort_retention
where customer_count > cohort_size
    or month_number < 0
    or (month_number = 0 and customer_count <> cohort_size);
