-- Net sales are gross sales less what was cancelled and returned.
select
    order_date,
    gross_amount,
    net_amount
from mart.daily_sales
?both|where net_amount <> gross_amount - cancelled_amount - returned_amount;
?only_cancelled|where net_amount <> gross_amount - cancelled_amount;
?only_returned|where net_amount <> gross_amount - returned_amount;
?neither|where net_amount <> gross_amount;
