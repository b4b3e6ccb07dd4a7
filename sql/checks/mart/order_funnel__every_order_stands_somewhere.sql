-- An order waits, has left or was cancelled; what arrived has left, and what came back had arrived.
select
    order_date,
    placed_count,
    waiting_count,
    shipped_count,
    delivered_count,
    returned_count,
    cancelled_count
from mart.order_funnel
where placed_count <> waiting_count + shipped_count + cancelled_count
    or shipped_count < delivered_count
    or delivered_count < returned_count
    or returned_count < 0;
