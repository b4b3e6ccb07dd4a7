-- The tables that every case starts with.
create table orders (
    order_id bigint, customer_id integer, status varchar(256), total decimal(12, 2),
    created_at timestamp, updated_at timestamptz, country varchar(256), items varchar(256),
    qty integer, d date
);
insert into orders values
    (1, 10, 'paid', 10.50, '2024-01-31 10:15:30', '2024-01-31 10:15:30'::timestamp::timestamptz,
     'FR', '{"a":{"b":"x"},"n":1,"l":[1,2]}', 7, '2024-01-31'),
    (2, 10, 'paid', 20.25, '2024-02-29 23:59:59', '2024-02-29 23:59:59'::timestamp::timestamptz,
     'FR', null, 2, '2024-02-29'),
    (3, 11, 'new', 5.00, '2024-12-31 00:00:01', '2024-12-31 00:00:01'::timestamp::timestamptz,
     'DE', '{}', 3, '2024-12-31'),
    (4, null, 'refund', null, null, null, null, 'bad', null, null);
create table stage as select * from orders where order_id >= 3;
create table t2 (a integer, b varchar(256));
create table kv (id integer, k varchar(256), v integer);
insert into kv values (1, 'a', 1), (1, 'b', 2), (2, 'a', 3);
