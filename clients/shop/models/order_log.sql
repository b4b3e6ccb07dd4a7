{{ config(materialized='incremental', unique_key='order_id') }}
select order_id, cast(total as decimal(18, 2)) as total, cast(ordered_on as date) as ordered_on
from {{ ref('orders') }}
{% if is_incremental() %}
where cast(ordered_on as date) >= (select max(ordered_on) from {{ this }})
{% endif %}
