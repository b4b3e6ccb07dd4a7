-- No step of the funnel has more orders than were placed.
select
    order_date,
    placed_count
from mart.order_funnel
where placed_count < cancelled_count
?shipped|    or placed_count <> waiting_count + shipped_count + cancelled_count
?returned|    or placed_count < returned_count + cancelled_count
?delivered|    or placed_count < delivered_count + cancelled_count;
?!delivered|    or placed_count < 1;
