-- analyze [r_ANALYZE]
analyze orders;
select count(*) from orders;
--> 4
-- analyze compression gives a row a column [r_ANALYZE_COMPRESSION]
analyze compression orders;
--?
-- analyze of predicate columns [r_ANALYZE]
analyze orders predicate columns;
select count(*) from orders;
--> 4
-- vacuum to a share [r_VACUUM_command]
vacuum full orders to 99 percent;
select count(*) from orders;
--> 4
-- vacuum that only deletes [r_VACUUM_command]
vacuum delete only orders;
select count(*) from orders;
--> 4
-- grant on all tables [r_GRANT]
create group readers;
grant select on all tables in schema public to group readers;
select count(*) from orders;
--> 4
-- grant to a role [r_GRANT]
create role etl;
grant usage on schema public to role etl;
select count(*) from orders;
--> 4
-- create user [r_CREATE_USER]
create user bob password 'Abc12345';
select count(*) from orders;
--> 4
-- create group [r_CREATE_GROUP]
create group readers;
select count(*) from orders;
--> 4
-- alter default privileges [r_ALTER_DEFAULT_PRIVILEGES]
--~
create group readers;
alter default privileges in schema public grant select on tables to group readers;
select count(*) from orders;
--> 4
-- set search_path [r_search_path]
create schema mart;
create table mart.kv (x integer);
set search_path to mart, public;
select count(*) from kv;
--> 0
-- set query_group [r_query_group]
set query_group to 'etl';
select 1;
--> 1
-- set statement_timeout [r_statement_timeout]
set statement_timeout to 60000;
select 1;
--> 1
-- lock [r_LOCK]
begin;
lock table orders;
commit;
select count(*) from orders;
--> 4
-- begin with an isolation level [r_BEGIN]
begin transaction isolation level serializable;
insert into t2 values (1, 'x');
rollback;
select count(*) from t2;
--> 0
-- end commits [r_END]
begin;
insert into t2 values (1, 'x');
end;
rollback;
select count(*) from t2;
--> 1
-- a role of the system's own [r_roles-default]
grant role sys:dba to admin;
--?
-- privileges of the system [r_GRANT: granting role permissions]
grant create user, drop user to role r;
--?
-- a privilege on a procedure [r_GRANT]
grant execute on procedure p(integer) to admin;
--?
-- a user's options before its password [r_GRANT-examples]
create group qa_users;
create user schema_user in group qa_users password 'Abcd1234';
select count(*) from pg_user where usename = 'schema_user';
--> 1
-- the definition of a table [r_SHOW_TABLE]
show table orders;
--?
-- the tables of a schema [r_SHOW_TABLES]
show tables from schema dev.public like 't_';
--> 'dev' | 'public' | 't2' | 'TABLE' | NULL | NULL | 'admin' | NULL | NULL | NULL | NULL
-- the schemas of a database [r_SHOW_SCHEMAS]
create schema mart;
show schemas from database dev like 'm%';
--> 'dev' | 'mart' | 100 | 'local' | NULL | NULL | NULL
-- the columns of a table [r_SHOW_COLUMNS]
create table keyed (a integer not null, b varchar(5)) distkey (a) compound sortkey (b, a);
show columns from table dev.public.keyed like 'b' limit 5;
--> 'dev' | 'public' | 'keyed' | 'b' | 2 | NULL | 'YES' | 'character varying' | 5 | NULL | NULL | NULL | 'COMPOUND' | 1 | 0 | 'none' | NULL
-- the primary key of a table [r_SHOW_CONSTRAINTS]
create table keyed (a integer, b integer, primary key (b, a));
show constraints primary keys from table keyed;
--> 'dev' | 'public' | 'keyed' | 'keyed_pkey' | 'b' | 1
--> 'dev' | 'public' | 'keyed' | 'keyed_pkey' | 'a' | 2
-- what is granted on a table [r_SHOW_GRANTS]
create user bob password 'Abcd1234';
grant select on t2 to bob;
show grants on table t2;
--> 'dev' | 'public' | 't2' | 'TABLE' | 'SELECT' | 100 | 'bob' | 'user' | false | NULL | 'admin'
-- the tables of a schema that is not there [r_SHOW_TABLES]
show tables from schema nowhere;
--! 3F000
-- the tables of another database [r_SHOW_TABLES]
show tables from schema other.public;
--! 3D000
-- the procedures of a schema: there are none here [r_SHOW_PROCEDURES]
show procedures from schema nowhere;
--! 3F000
-- another session's authorization [r_SET_SESSION_AUTHORIZATION]
set session authorization default;
--?
-- a cursor gives its rows one after the other [declare, fetch]
begin;
declare rows cursor for select order_id, status from orders order by order_id;
fetch next from rows;
fetch forward 2 from rows;
--> 2 | 'paid'
--> 3 | 'new'
-- a cursor gives all that is left [fetch]
begin;
declare rows cursor for select order_id from orders order by order_id;
fetch forward 3 from rows;
fetch all from rows;
--> 4
-- a cursor needs a transaction [declare: you must declare a cursor within a transaction block]
declare rows cursor for select order_id from orders;
--! 25P01
-- one cursor at a time [declare: only one cursor at a time can be open per session]
begin;
declare one cursor for select order_id from orders;
declare two cursor for select order_id from orders;
--! 0A000 only one cursor can be open per session
-- a cursor that was closed [close]
begin;
declare rows cursor for select order_id from orders;
close rows;
fetch from rows;
--! 34000
-- a cursor ends with its transaction [declare: must be used within a transaction]
begin;
declare rows cursor for select order_id from orders;
commit;
begin;
fetch from rows;
--! 34000
-- the explanation of a change [r_EXPLAIN]
explain delete from orders;
--?
-- whether a user may read a table [r_HAS_TABLE_PRIVILEGE]
create user guest password 'Abcd1234';
grant select on stage to guest;
select has_table_privilege('guest', 'stage', 'select'), has_table_privilege('guest', 'orders', 'select'),
    has_table_privilege('orders', 'insert');
--> true | false | true
-- whether a user may read a system view, as dbt asks [r_HAS_TABLE_PRIVILEGE]
select has_table_privilege(current_user, 'svv_table_info', 'SELECT') as can_select;
--> true
-- a privilege that there is not [r_HAS_TABLE_PRIVILEGE]
select has_table_privilege('orders', 'eat');
--! 22023 unrecognized privilege type: "eat"
-- whether a user may use a schema [r_HAS_SCHEMA_PRIVILEGE]
create user guest password 'Abcd1234';
create schema mart;
select has_schema_privilege('guest', 'public', 'usage'), has_schema_privilege('guest', 'mart', 'create');
--> true | false
