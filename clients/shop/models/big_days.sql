{{ config(materialized='view', bind=False) }}
select ordered_on, revenue from {{ ref('daily_sales') }} where revenue > 5
