-- the median of an even number of integers has a half [r_WF_MEDIAN shows 22.5]
select median(v) = 1.5 from (select 1 as v union all select 2) as t;
--> true
-- the median of decimals where it fits their places [r_MEDIAN]
select median(v) = 1.50 from (select 1.25 as v union all select 1.75 union all select null) as t;
--> true
-- the median of nothing [r_MEDIAN: NULL values are ignored]
select median(qty) from orders where order_id = 4;
--> NULL
-- the median of one value, below zero [r_MEDIAN]
select median(v) = -3 from (select -3 as v) as t;
--> true
-- percentile_cont by its formula: row 1 + 0.25 * 3 = 1.75 of 0, 2, 4 and 6 [r_PERCENTILE_CONT]
select percentile_cont(0.25) within group (order by v) = 1.5, percentile_cont(1) within group (order by v) = 6,
    percentile_cont(0) within group (order by v) = 0
from (select 0 as v union all select 2 union all select 4 union all select 6) as t;
--> true | true | true
-- percentile_disc over a partition [r_WF_PERCENTILE_DISC: the first value at or beyond the share]
select distinct percentile_disc(0.5) within group (order by v) over (partition by id) from kv order by 1;
--: integer
--> 1
--> 3
-- percentile_disc of shares between the rows [r_WF_PERCENTILE_DISC]
select approximate percentile_disc(0.26) within group (order by v), approximate percentile_disc(1) within group (order by v)
from (select 10 as v union all select 20 union all select 30 union all select 40) as t;
--> 20 | 40
-- bit_and and bit_or [r_BIT_AND, r_BIT_OR: NULL is left out]
select bit_and(v), bit_or(v) from (select 6 as v union all select 3 union all select null) as t;
--: integer, integer
--> 2 | 7
-- listagg leaves NULL out [r_LISTAGG]
select listagg(country, ',') within group (order by order_id) from orders;
--> 'FR,FR,DE'
-- aggregates of nothing [r_SUM, r_COUNT]
select count(*), count(qty), sum(qty), max(qty) from orders where order_id > 99;
--> 0 | 0 | NULL | NULL
-- aggregates leave NULL out [c_Aggregate_Functions]
select count(*), count(qty), count(distinct country), avg(qty) from orders;
--> 4 | 3 | 2 | 4
-- listagg over a partition [r_WF_LISTAGG]
select order_id, listagg(status, '-') within group (order by order_id desc) over (partition by customer_id)
from orders where order_id < 4 order by 1;
--> 1 | 'paid-paid'
--> 2 | 'paid-paid'
--> 3 | 'new'
-- first_value of all, NULL too [r_WF_first_value: RESPECT NULLS is the default]
select order_id, first_value(qty respect nulls) over (
    order by order_id desc rows between unbounded preceding and current row
) from orders order by 1 limit 1;
--> 1 | NULL
-- lead and lag beyond the rows [r_WF_LEAD, r_WF_LAG]
select order_id, lag(order_id) over (order by order_id), lead(order_id, 2) over (order by order_id) from orders order by 1;
--> 1 | NULL | 3
--> 2 | 1 | 4
--> 3 | 2 | NULL
--> 4 | 3 | NULL
-- an aggregate over a window with an order needs a frame [c_Window_functions]
select sum(qty) over (order by order_id) from orders;
--! 42601 Aggregate window functions with an ORDER BY clause require a frame clause
-- ratio_to_report over partitions [r_WF_RATIO_TO_REPORT]
select order_id, ratio_to_report(qty) over (partition by customer_id) from orders where order_id = 3;
--> 3 | 1.0
-- ranks of equal values [r_WF_RANK, r_WF_DENSE_RANK, r_WF_PERCENT_RANK, r_WF_CUME_DIST]
select v, rank() over (order by v), dense_rank() over (order by v), percent_rank() over (order by v),
    cume_dist() over (order by v)
from (select 1 as v union all select 1 union all select 2) as t order by 1;
--: integer, bigint, bigint, double, double
--> 1 | 1 | 1 | 0.0 | 0.6666666666666666
--> 1 | 1 | 1 | 0.0 | 0.6666666666666666
--> 2 | 3 | 2 | 1.0 | 1.0
