-- pivot [r_FROM_clause-pivot-unpivot-examples]
select * from (select id, k, v from kv) pivot (sum(v) for k in ('a', 'b')) order by id;
--> 1 | 1 | 2
--> 2 | 3 | NULL
-- unpivot [r_FROM_clause-pivot-unpivot-examples]
select * from (select 1 as a, 2 as b) unpivot (cnt for col in (a, b)) order by 1;
--> 'a' | 1
--> 'b' | 2
-- grouping sets [r_GROUP_BY_aggregation-extensions]
select country, status, count(*) from orders
group by grouping sets ((country), (status), ()) order by 3, 1, 2;
--> 'DE' | NULL | 1
--> NULL | 'new' | 1
--> NULL | 'refund' | 1
--> NULL | NULL | 1
--> 'FR' | NULL | 2
--> NULL | 'paid' | 2
--> NULL | NULL | 4
-- rollup and grouping [r_GROUP_BY_aggregation-extensions]
select country, grouping(country), count(*) from orders group by rollup(country) order by 2 desc limit 1;
--> NULL | 1 | 4
-- top [r_SELECT_list]
select top 1 order_id from orders order by order_id desc;
--> 4
-- limit and offset [r_ORDER_BY_clause]
select order_id from orders order by order_id limit 1 offset 1;
--> 2
-- generate_series is no table function [c_unsupported-postgresql-functions]
select count(*) from generate_series(1, 5);
--?
-- with recursive [r_WITH_clause]
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select max(i) from n;
--> 5
-- minus [r_UNION]
select count(*) from (select order_id from orders minus select order_id from stage) as t;
--> 2
-- intersect [r_UNION]
select count(*) from (select order_id from orders intersect select order_id from stage) as t;
--> 2
-- all columns but one [r_EXCLUDE_list]
select * exclude (items, total, created_at, updated_at, country, d) from orders where order_id = 1;
--: bigint, integer, varchar(256), integer
--> 1 | 10 | 'paid' | 7
-- group by all [r_GROUP_BY_clause]
select status, count(*) from orders group by all order by 2 desc, 1;
--> 'paid' | 2
--> 'new' | 1
--> 'refund' | 1
-- NULL is the highest value [r_ORDER_BY_clause]
select qty from orders order by qty limit 1;
--> 2
-- NULL comes first in descending order [r_ORDER_BY_clause]
select qty from orders order by qty desc limit 1;
--> NULL
-- a label in the same list [r_SELECT_list]
select qty * 2 as x, x + 1 as y from orders where order_id = 1;
--> 14 | 15
-- a column goes before a label [r_SELECT_list]
select qty + 1 as qty, qty as q2 from orders where order_id = 1;
--> 8 | 7
-- a correlated value [r_correlated_subqueries]
select (select max(total) from stage s where s.order_id = o.order_id) from orders o where order_id = 3;
--> 5.00
-- an outer join by a mark [r_WHERE_oracle_outer]
select count(*) from orders o, stage s where o.order_id = s.order_id(+);
--> 4
-- current_user [r_CURRENT_USER]
select current_user = user_name from (select current_user as user_name) as t;
--> true
-- current_schema is the first of the search path [r_CURRENT_SCHEMA]
select current_schema();
--> 'public'
-- pg_backend_pid [PG_BACKEND_PID]
select pg_backend_pid() > 0;
--> true
-- version [r_VERSION]
select version() like 'PostgreSQL 8.0.2%Redshift%';
--> true
-- pg_last_copy_count before any copy [PG_LAST_COPY_COUNT]
select pg_last_copy_count();
--: bigint
--> 0
-- svv_table_info has a row for each filled table [r_SVV_TABLE_INFO]
select "schema", "table", tbl_rows from svv_table_info where "table" = 'kv';
--> 'public' | 'kv' | 3
-- svv_columns [r_SVV_COLUMNS]
select column_name, ordinal_position, data_type from svv_columns where table_name = 'kv' order by 2;
--> 'id' | 1 | 'integer'
--> 'k' | 2 | 'character varying'
--> 'v' | 3 | 'integer'
-- pg_table_def [r_PG_TABLE_DEF]
select "column", type from pg_table_def where tablename = 'kv' order by 1;
--> 'id' | 'integer'
--> 'k' | 'character varying(256)'
--> 'v' | 'integer'
-- stl_load_errors [r_STL_LOAD_ERRORS]
select count(*) from stl_load_errors;
--> 0
-- sys_load_error_detail [SYS_LOAD_ERROR_DETAIL]
select count(*) from sys_load_error_detail;
--> 0
-- sys_query_history [SYS_QUERY_HISTORY]
select count(*) > 0 from sys_query_history;
--> true
-- information_schema [c_intro_catalog_views]
select table_schema, count(*) from information_schema.tables where table_name = 'kv' group by 1;
--> 'public' | 1
-- a reserved word is no qualifier [r_pg_keywords: in double quotes only]
create table "order" (id integer);
select order.id from "order";
--! 42601 syntax error at or near "order"
-- a reserved word is no qualifier of a star [r_pg_keywords]
create table "user" (id integer);
select user.* from "user";
--! 42601 syntax error at or near "user"
-- a reserved word in quotes is one [r_pg_keywords]
create table "order" (id integer);
insert into "order" values (1);
select "order".id, "order".* from "order";
--> 1 | 1
-- rollup over no rows has the row of the whole [r_GROUP_BY_aggregation-extensions: equivalent to GROUPING SETS ((a), ()), a UNION ALL of plain groups]
select status, count(*) from orders where order_id > 99 group by rollup (status);
--: varchar(256), bigint
--> NULL | 0
-- cube over no rows, of a number [r_GROUP_BY_aggregation-extensions]
select order_id, count(*) from orders where order_id > 99 group by cube (order_id);
--> NULL | 0
-- a partial rollup over no rows has no row [r_GROUP_BY_aggregation-extensions: no grand total]
select count(*) from (
    select country, status, count(*) from orders where order_id > 99 group by country, rollup (status)
);
--> 0
-- the row of the whole is held to HAVING [r_HAVING_clause]
select count(*) from (
    select status, count(*) from orders where order_id > 99 group by rollup (status)
    having count(*) > 0 or count(*) < 0
);
--> 0
-- columns without a name are selected by a star [r_SELECT_list]
select * from (select 1, 2) as t;
--: integer, integer
--> 1 | 2
-- columns of one name are selected by a star [r_SELECT_list]
select t.*, 3 from (select 1 as a, 2 as a) as t;
--> 1 | 2 | 3
-- the user by its other names [r_USER, r_CURRENT_USER]
select user = current_user, session_user = current_user;
--> true | true
-- the account is not known here [r_CURRENT_AWS_ACCOUNT]
select current_aws_account;
--?
-- object_transform [r_object_transform_function]
select object_transform(json_parse('{"a": 1}') keep '"a"');
--?
-- unpivot of a super [query-super: object unpivoting]
create table c (s super);
select attr from c, unpivot c.s as val at attr;
--?
-- a way of several steps into a super in FROM [query-super: unnesting]
create table c (s super);
select x.a from c, c.s.b.d as x;
--?
-- a row among rows [r_in_condition; PostgreSQL 8.0: row-wise comparison]
select (1, 2) in ((1, 2), (3, 4)), (1, 2) not in ((1, 3)), (1, null) in ((1, 2)), (1, null) in ((2, 2));
--> true | true | NULL | false
-- a row among those of a query [r_in_condition; PostgreSQL 8.0: subquery expressions]
select order_id from orders where (customer_id, status) in (select customer_id, status from stage);
--> 3
-- a row not among those of a query that has NULL [PostgreSQL 8.0: NOT IN gives NULL where it is open]
select (10, 'refund') not in (select customer_id, status from orders), (10, 'x') in (select 10, null::varchar(3)),
    (11, 'new') not in (select customer_id, status from orders where order_id < 3);
--> NULL | NULL | true
-- rows of two lengths [PostgreSQL 8.0]
select (1, 2) in ((1, 2, 3));
--! 42601 unequal number of entries in row expressions
