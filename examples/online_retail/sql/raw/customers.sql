-- Registered customers of the shop, as the order lines show them: one row each.
-- @owner team:shop
create table customers (
    customer_id int not null comment 'Number of the account',
    country_first_seen varchar(40) not null comment 'Country of the first line; a few customers order from two',
    first_seen_at datetime not null comment 'Time of the first line, Europe/London',
    primary key (customer_id)
);
