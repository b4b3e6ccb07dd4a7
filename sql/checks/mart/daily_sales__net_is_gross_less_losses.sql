-- Net sales are gross sales less what was cancelled and returned.
select
    order_date,
    gross_amount,
    cancelled_amount,
    returned_amount,
    net_amount
from mart.daily_sales
where net_amount <> gross_amount - cancelled_amount - returned_amount;
