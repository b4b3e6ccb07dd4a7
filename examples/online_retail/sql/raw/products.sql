-- Codes that were ever invoiced: goods, and services such as postage. One row a code.
-- Capitals count: 85123A and 85123a are two codes, so the key is compared byte by byte.
-- @owner team:shop
create table products (
    product_id varchar(20) character set utf8mb4 collate utf8mb4_bin not null comment 'Stock code; capitals count',
    description varchar(100) comment 'Most frequent text of its lines, blanks at the ends kept; NULL where no line has one',
    primary key (product_id)
);
