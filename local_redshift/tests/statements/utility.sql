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
-- explain [r_EXPLAIN]
explain select 1;
--?
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
