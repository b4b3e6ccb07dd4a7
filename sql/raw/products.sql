-- What the shop sells or has sold: one row a product, with today's price.
-- @owner team:shop
-- @cursor updated_at
create table products (
    product_id int not null comment 'Number of the product',
    sku varchar(20) not null comment 'Stock keeping unit; unique',
    product_name varchar(200) not null comment 'Name in the catalogue',
    category varchar(40) not null comment 'Department',
    brand varchar(60) not null comment 'Maker',
    unit_price int not null comment 'Price of one today, in won',
    description text comment 'Text of the product page',
    is_active tinyint(1) not null default 1 comment '1 = can be ordered today',
    launched_date date not null comment 'First day on sale, in the shop''s time zone',
    created_at datetime(6) not null comment 'When the row was written (UTC)',
    updated_at datetime(6) not null comment 'When the row last changed (UTC)',
    primary key (product_id),
    unique key products_sku (sku),
    key products_updated_at (updated_at)
);
