-- One row an order: a customer buys one product, one or more of it.
-- The status moves on later days; a few orders arrive late or are deleted.
-- @partition order_date
-- @cursor updated_at
-- @owner team:shop
-- @freshness 26h
-- @pii delivery_note
create table orders (
    order_id bigint not null comment 'Number of the order',
    customer_id int not null comment 'Who ordered',
    product_id int not null comment 'What was ordered',
    order_date date not null comment 'Day of the order, in the shop''s time zone',
    quantity smallint not null comment 'How many',
    unit_price int not null comment 'Price of one on that day, campaign included, in won',
    amount int not null comment 'quantity x unit_price, in won',
    status enum('paid', 'shipped', 'delivered', 'cancelled', 'returned') not null comment 'Where the order stands',
    channel enum('web', 'app', 'phone') not null comment 'Where it was placed',
    delivery_note varchar(500) comment 'What the customer asks of the courier',
    created_at datetime(6) not null comment 'When the order was placed (UTC)',
    updated_at datetime(6) not null comment 'When the row last changed (UTC)',
    primary key (order_id),
    key orders_order_date (order_date),
    key orders_updated_at (updated_at),
    constraint orders_customer foreign key (customer_id) references customers (customer_id),
    constraint orders_product foreign key (product_id) references products (product_id)
);
