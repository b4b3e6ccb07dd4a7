-- People who have an account in the shop: one row each, current state.
-- @owner team:shop
-- @cursor updated_at
-- @pii full_name, email, phone, birth_date, address
create table customers (
    customer_id int not null comment 'Number of the account',
    full_name varchar(100) not null comment 'Name as the customer writes it',
    email varchar(255) not null comment 'Address of the account; unique',
    phone varchar(32) comment 'Mobile number',
    birth_date date comment 'Day of birth, where given',
    locale enum('ko_KR', 'en_US') not null comment 'Language of the account',
    city varchar(80) not null comment 'City or province',
    address varchar(255) not null comment 'Postal address',
    signup_date date not null comment 'Day the account was opened, in the shop''s time zone',
    accepts_marketing tinyint(1) not null default 0 comment '1 = wants newsletters',
    created_at datetime(6) not null comment 'When the row was written (UTC)',
    updated_at datetime(6) not null comment 'When the row last changed (UTC)',
    primary key (customer_id),
    unique key customers_email (email),
    key customers_updated_at (updated_at)
);
