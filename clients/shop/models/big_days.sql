{{ config(materialized='view') }}
select ordered_on, revenue from {{ ref('daily_sales') }} where revenue > 5
