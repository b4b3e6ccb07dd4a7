-- One row a line of an invoice. Cancellations are invoices of their own (C…), with negative quantities.
-- Lines that are alike in everything but order_id are real: the same product rung up twice.
-- @partition order_date
-- @owner team:shop
create table orders (
    order_id int not null comment 'Running number of the line',
    source_order_no varchar(10) not null comment 'Invoice: digits, C… for a cancellation, A… for a bad debt',
    customer_id int comment 'Who bought; NULL where the shop did not note it',
    product_id varchar(20) character set utf8mb4 collate utf8mb4_bin not null comment 'What was sold; capitals count',
    order_date datetime not null comment 'Time of the invoice, Europe/London wall clock',
    quantity int not null comment 'Pieces; negative when taken back or written off',
    unit_price decimal(12, 3) not null comment 'Price of one, in pounds; zero for gifts and stock corrections',
    amount decimal(18, 3) not null comment 'quantity x unit_price, in pounds',
    primary key (order_id),
    key orders_order_date (order_date),
    constraint orders_customer foreign key (customer_id) references customers (customer_id),
    constraint orders_product foreign key (product_id) references products (product_id)
);
