-- truncate [r_TRUNCATE]
insert into t2 values (1, 'x');
truncate table t2;
select count(*) from t2;
--> 0
-- truncate without its noun [r_TRUNCATE]
insert into t2 values (1, 'x');
truncate t2;
select count(*) from t2;
--> 0
-- insert several rows [r_INSERT_30]
insert into t2 (a, b) values (1, 'x'), (2, 'y');
select a, b from t2 order by 1;
--> 1 | 'x'
--> 2 | 'y'
-- insert a select [r_INSERT_30]
insert into t2 (a, b) (select customer_id, status from orders);
select count(*) from t2;
--> 4
-- insert default values [r_INSERT_30]
create table f1 (a integer default 5, b varchar(3));
insert into f1 default values;
select a, b from f1;
--> 5 | NULL
-- insert with a query named before [r_INSERT_30]
insert into t2 (a, b) with q as (select 1 as a, 'q' as b) select * from q;
select a, b from t2;
--> 1 | 'q'
-- delete using [r_DELETE]
delete from orders using stage where orders.order_id = stage.order_id and stage.order_id = 3;
select count(*) from orders;
--> 3
-- delete without from [r_DELETE]
insert into t2 values (77, 'x'), (78, 'y');
delete t2 where a = 77;
select a from t2;
--> 78
-- update from [r_UPDATE]
update stage set status = 'done';
update orders set status = s.status from stage s where orders.order_id = s.order_id;
select count(*) from orders where status = 'done';
--> 2
-- update by an alias [documented: r_UPDATE takes an alias of the target since 2021]
update orders o set status = 'z' where o.order_id = 1;
select status from orders where order_id = 1;
--> 'z'
-- merge [r_MERGE]
update stage set status = 'done', order_id = case order_id when 4 then 5 else order_id end;
merge into orders using stage on orders.order_id = stage.order_id
when matched then update set status = stage.status
when not matched then insert (order_id, status) values (stage.order_id, stage.status);
select order_id, status from orders order by 1;
--> 1 | 'paid'
--> 2 | 'paid'
--> 3 | 'done'
--> 4 | 'refund'
--> 5 | 'done'
-- merge that deletes [r_MERGE]
update stage set order_id = case order_id when 4 then 5 else order_id end;
merge into orders using stage on orders.order_id = stage.order_id
when matched then delete when not matched then insert (order_id) values (stage.order_id);
select order_id from orders order by 1;
--> 1
--> 2
--> 4
--> 5
-- merge that removes duplicates [r_MERGE]
update stage set order_id = case order_id when 4 then 5 else order_id end;
merge into orders using stage on orders.order_id = stage.order_id remove duplicates;
select order_id from orders order by 1;
--> 1
--> 2
--> 3
--> 4
--> 5
-- copy of Parquet by a manifest [r_COPY, loading-data-files-using-manifest]
create table loaded (a integer, b varchar(256));
copy loaded from 's3://b/m.manifest' iam_role 'arn:aws:iam::1:role/r' format as parquet manifest;
select a, b from loaded order by 1;
--> 1 | 'x'
--> 2 | 'y'
-- copy of CSV in gzip [copy-parameters-data-format]
create table loaded (a integer, b varchar(256));
copy loaded (a, b) from 's3://b/csv/' iam_role default csv gzip ignoreheader 1
timeformat 'auto' dateformat 'auto' maxerror 10 region 'eu-west-1';
select a, b from loaded order by 1;
--> 1 | 'x'
--> 2 | 'y'
-- unload of Parquet [r_UNLOAD]
unload ('select a, b from t2 where b = ''x''') to 's3://b/out/' iam_role 'arn:aws:iam::1:role/r'
format as parquet partition by (b) allowoverwrite manifest;
select count(*) from t2;
--> 0
-- copy from a manifest that is missing [as seen in public reports]
copy t2 from 's3://b/none.manifest' iam_role default format as parquet manifest;
--! XX000 Problem reading manifest file - S3ServiceException
