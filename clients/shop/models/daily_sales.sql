select
    cast(ordered_on as date) as ordered_on,
    count(*) as orders,
    cast(sum(total) as decimal(18, 2)) as revenue
from {{ ref('orders') }}
group by 1
