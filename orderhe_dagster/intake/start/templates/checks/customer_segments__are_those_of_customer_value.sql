-- Every customer stands in one segment.
with segments as (
    select
        segment,
        count(*) as customer_count
    from mart.customer_value
    group by segment
)

select
    coalesce(customer_segments.segment, segments.segment) as segment,
    customer_segments.customer_count,
    segments.customer_count as customer_count_of_value
from mart.customer_segments
full outer join segments on customer_segments.segment = segments.segment
where customer_segments.segment is null
    or segments.segment is null
    or customer_segments.customer_count <> segments.customer_count;
