-- listagg in an order [r_LISTAGG]
select listagg(status, ',') within group (order by order_id desc) from orders where order_id < 4;
--> 'new,paid,paid'
-- listagg of different values [r_LISTAGG]
select listagg(distinct status, '|') within group (order by status) from orders;
--> 'new|paid|refund'
-- median of integers is a decimal [r_MEDIAN]
select median(qty) = 3 from orders;
--> true
-- percentile_cont of integers is a decimal [r_PERCENTILE_CONT]
select percentile_cont(0.5) within group (order by qty) = 3 from orders;
--> true
-- percentile_cont over a partition [r_WF_PERCENTILE_CONT]
select distinct percentile_cont(0.5) within group (order by qty) over (partition by customer_id) = 4.5
from orders where customer_id = 10;
--> true
-- percentile_disc without a window is approximate only [r_APPROXIMATE_PERCENTILE_DISC, r_WF_PERCENTILE_DISC]
select percentile_disc(0.5) within group (order by qty) from orders;
--?
-- approximate percentile_disc [r_APPROXIMATE_PERCENTILE_DISC; of three values the error is none]
select approximate percentile_disc(0.5) within group (order by qty) from orders;
--: integer
--> 3
-- approximate count distinct [r_COUNT; of two values the error is none]
select approximate count(distinct customer_id) from orders;
--: bigint
--> 2
-- stddev_samp of 7, 2 and 3 is the root of 7 [r_STDDEV_functions]
select round(stddev_samp(qty), 3) from orders;
--: double
--> 2.646
-- ratio_to_report of 10.50 in 30.75 [r_WF_RATIO_TO_REPORT]
select round(ratio_to_report(total) over (), 4) from orders where order_id in (1, 2) order by 1;
--: double
--> 0.3415
--> 0.6585
-- qualify [r_QUALIFY_clause]
select order_id from orders
qualify row_number() over (partition by customer_id order by created_at desc) = 1 order by 1 limit 1;
--> 2
-- ntile [r_WF_NTILE]
select ntile(2) over (order by order_id) from orders order by 1;
--: bigint
--> 1
--> 1
--> 2
--> 2
-- lag leaves NULL out [r_WF_LAG]
select lag(total) ignore nulls over (order by order_id) from orders order by order_id desc limit 1;
--> 5.00
-- last_value leaves NULL out [r_WF_first_value]
select last_value(total ignore nulls) over (
    order by order_id rows between unbounded preceding and unbounded following
) from orders limit 1;
--> 5.00
-- a sum over a frame [r_WF_SUM]
select sum(qty) over (order by order_id rows between 1 preceding and current row)
from orders where order_id < 4 order by order_id desc limit 1;
--> 5
-- avg of integers is cut [r_AVG]
select avg(qty) from orders where order_id in (1, 2);
--: bigint
--> 4
-- a sum of integers is a bigint [r_SUM]
select sum(qty) from orders;
--: bigint
--> 12
-- typeof is not among Redshift's functions for columns [System_information_functions; json_typeof is for super]
select typeof(sum(qty)) from orders;
--?
-- bool_or [r_BOOL_OR]
select bool_or(status = 'new') from orders;
--> true
-- any_value [r_ANY_VALUE]
select any_value(country) from orders where order_id = 1;
--> 'FR'
-- hll of numbers [r_HLL; the estimate's error at two values is not said]
select hll(customer_id) from orders;
--?
-- listagg without an order of one value [r_LISTAGG: whatever the order]
select customer_id, listagg(status, '+'), listagg(distinct status) from orders
where order_id < 4 group by customer_id order by 1;
--> 10 | 'paid+paid' | 'paid'
--> 11 | 'new' | 'new'
-- listagg without an order of no value [r_LISTAGG]
select listagg(items) from orders where items is null;
--> NULL
-- listagg without an order of several values [r_LISTAGG: the order is not determined]
select listagg(status) from orders;
--?
