-- getdate is a timestamp of whole seconds, one in a statement [r_GETDATE]
select getdate() = getdate(), getdate() = date_trunc('second', getdate());
--: boolean, boolean
--> true | true
-- sysdate is the time of the transaction [r_SYSDATE]
select sysdate = sysdate, sysdate > '2024-01-01'::timestamp;
--> true | true
-- current_date is the day of sysdate [r_CURRENT_DATE_function]
select current_date = trunc(sysdate);
--> true
-- dateadd stays within the month [r_DATEADD_function]
select dateadd(month, 1, '2024-01-31'::date);
--: timestamp
--> 2024-02-29 00:00:00
-- dateadd of days keeps the time [r_DATEADD_function]
select dateadd(day, -7, created_at) from orders where order_id = 1;
--> 2024-01-24 10:15:30
-- dateadd reads a text as a timestamp [r_DATEADD_function]
select dateadd(hour, 2, '2024-01-01 10:00:00');
--> 2024-01-01 12:00:00
-- datediff of days between texts [r_DATEDIFF_function]
select datediff(day, '2024-01-01', '2024-03-01');
--: bigint
--> 60
-- datediff counts the ends of months [r_DATEDIFF_function]
select datediff(month, '2024-01-31'::date, '2024-02-01'::date);
--> 1
-- datediff of weeks: where a week begins is not said [unverified: r_DATEDIFF_function counts boundaries, but does not say which day is one]
select datediff(week, '2024-01-06'::date, '2024-01-07'::date);
--?
-- datediff of weeks from Monday to Monday is the same either way [r_DATEDIFF_function]
select datediff(week, '2009-01-01', '2009-12-31');
--: bigint
--> 52
-- datediff counts the ends of hours [r_DATEDIFF_function]
select datediff(hour, '2024-01-01 10:59:00'::timestamp, '2024-01-01 11:00:00'::timestamp);
--> 1
-- datediff takes a quoted part [r_DATEDIFF_function]
select datediff('day', '2024-01-01'::date, '2024-01-03'::date);
--> 2
-- months_between last days is whole [r_MONTHS_BETWEEN_function]
select months_between('2024-03-31'::date, '2024-02-29'::date);
--: double
--> 1.0
-- add_months keeps the last day [r_ADD_MONTHS]
select add_months('2024-02-29'::date, 1);
--: timestamp
--> 2024-03-31 00:00:00
-- last_day is a date [r_LAST_DAY]
select last_day('2024-02-10'::date);
--: date
--> 2024-02-29
-- next_day is later than the day given [r_NEXT_DAY]
select next_day('2024-02-10'::date, 'Monday');
--: date
--> 2024-02-12
-- date_trunc of a date is a timestamp [r_DATE_TRUNC]
select date_trunc('month', '2024-02-10'::date);
--: timestamp
--> 2024-02-01 00:00:00
-- date_trunc of weeks begins on Monday [r_DATE_TRUNC]
select date_trunc('week', '2024-02-11'::timestamp);
--> 2024-02-05 00:00:00
-- trunc of a timestamp is a date [r_TRUNC_date]
select trunc('2024-02-10 11:12:13'::timestamp);
--: date
--> 2024-02-10
-- date_part of Sunday is 0 [r_Dateparts_for_datetime_functions]
select date_part(dow, '2024-02-11'::date);
--: double
--> 0.0
-- date_part of weeks is of ISO 8601 [r_Dateparts_for_datetime_functions]
select date_part(week, '2024-12-30'::date);
--> 1.0
-- extract of epoch [r_EXTRACT_function]
select extract(epoch from '2024-01-01 00:00:00'::timestamp);
--> 1704067200
-- epoch plus seconds is a timestamp [r_Date_and_time_literals, r_interval_literals]
select timestamp 'epoch' + 1704067200 * interval '1 second';
--: timestamp
--> 2024-01-01 00:00:00
-- convert_timezone from and to [CONVERT_TIMEZONE]
select convert_timezone('UTC', 'Europe/Paris', '2024-07-01 10:00:00'::timestamp);
--: timestamp
--> 2024-07-01 12:00:00
-- convert_timezone from UTC [CONVERT_TIMEZONE]
select convert_timezone('Europe/Paris', '2024-07-01 10:00:00'::timestamp);
--> 2024-07-01 12:00:00
-- at time zone of a timestamp is a timestamptz [r_AT_TIME_ZONE]
select '2024-07-01 10:00:00'::timestamp at time zone 'UTC';
--: timestamptz
--> 2024-07-01 10:00:00+00:00
-- to_char of a timestamp [r_TO_CHAR]
select to_char('2024-02-10 15:04:05'::timestamp, 'YYYY-MM-DD HH24:MI:SS');
--> '2024-02-10 15:04:05'
-- to_char of a month [r_TO_CHAR]
select to_char('2024-02-10'::date, 'YYYYMM');
--> '202402'
-- to_char of names [r_FORMAT_strings]
select to_char('2024-02-10'::date, 'Dy DD Mon');
--> 'Sat 10 Feb'
-- to_char of a quarter with a text in quotes [r_FORMAT_strings]
select to_char('2024-02-10'::date, 'YYYY-"Q"Q');
--> '2024-Q1'
-- to_char of a number without padding [r_Numeric_formating]
select to_char(1234.5, 'FM9,999.00');
--> '1,234.50'
-- to_date [r_TO_DATE_function]
select to_date('20240210', 'YYYYMMDD');
--: date
--> 2024-02-10
-- to_timestamp has a zone [r_TO_TIMESTAMP]
select to_timestamp('2024-02-10 15:04:05', 'YYYY-MM-DD HH24:MI:SS');
--: timestamptz
--> 2024-02-10 15:04:05+00:00
-- to_number [r_TO_NUMBER]
select to_number('12,454.8', '99G999D9') = 12454.8;
--> true
-- an interval of several parts [r_interval_literals]
select '2024-01-01'::timestamp + interval '1 day 2 hours';
--> 2024-01-02 02:00:00
-- dates between texts [r_range_condition]
select count(*) from orders where d between '2024-01-01' and '2024-02-29';
--> 2
-- days in the forms of Amazon's table [r_Date_and_time_literals: dates]
select 'January 8, 1999'::date, '1999-01-08'::date, '1/8/1999'::date, '01/02/00'::date,
    '2000-Jan-31'::date, 'Jan-31-2000'::date, '31-Jan-2000'::date, '20080215'::date,
    '080215'::date, '2008.366'::date;
--> 1999-01-08 | 1999-01-08 | 1999-01-08 | 2000-01-02 | 2000-01-31 | 2000-01-31 | 2000-01-31 | 2008-02-15 | 2008-02-15 | 2008-12-31
-- hours in the forms of Amazon's table [r_Date_and_time_literals: timestamps]
select '20080215 04:05:06.789'::timestamp, '20080215 040506'::timestamp,
    '20080215 04:05 AM'::timestamp, '20080215 04:05 PM'::timestamp, '20080215 16:05'::timestamp,
    '20080215'::timestamp;
--> 2008-02-15 04:05:06.789000 | 2008-02-15 04:05:06 | 2008-02-15 04:05:00 | 2008-02-15 16:05:00 | 2008-02-15 16:05:00 | 2008-02-15 00:00:00
-- dates of different formats in a table [r_Examples_with_datetime_types: date examples]
create table datetable (start_date date, end_date date);
insert into datetable values ('2008-06-01', '2008-12-31'), ('Jun 1,2008', '20081231');
select * from datetable;
--> 2008-06-01 | 2008-12-31
--> 2008-06-01 | 2008-12-31
-- of a timestamp the zone is ignored, of a timestamptz it counts [r_Datetime_types, r_Examples_with_datetime_types]
select 'Jun 1,2008  09:59:59 EST'::timestamp, 'Jun 1,2008 09:59:59 EST'::timestamptz,
    '2024-01-31T10:00:00Z'::timestamp, '2024-01-31 10:00:00+0900'::timestamptz,
    '12/17/1997 07:37:16.00 US/Pacific'::timestamptz;
--: timestamp, timestamptz, timestamp, timestamptz, timestamptz
--> 2008-06-01 09:59:59 | 2008-06-01 14:59:59+00:00 | 2024-01-31 10:00:00 | 2024-01-31 01:00:00+00:00 | 1997-12-17 15:37:16+00:00
-- a computed text in the forms of exports [r_Date_and_time_literals]
select s::date, s::timestamp, s::timestamptz from (
    select '2000-2-01'::varchar(30) as s union all select '20240131 10:00:00+09'
    union all select '01/31/2024 9:05' union all select '2024-01-31T10:00:00.5Z'
);
--> 2000-02-01 | 2000-02-01 00:00:00 | 2000-02-01 00:00:00+00:00
--> 2024-01-31 | 2024-01-31 10:00:00 | 2024-01-31 01:00:00+00:00
--> 2024-01-31 | 2024-01-31 09:05:00 | 2024-01-31 09:05:00+00:00
--> 2024-01-31 | 2024-01-31 10:00:00.500000 | 2024-01-31 10:00:00.500000+00:00
-- a day that there is not [r_Date_and_time_literals; the words are PostgreSQL's]
select '02/30/2024'::date;
--! 22008 date/time field value out of range: "02/30/2024"
-- a year of two digits, of which century [unverified: r_Date_and_time_literals has none beyond 08]
select '01/02/70'::date;
--?
-- an hour that a zone has twice [unverified: which of the two]
select '2023-11-05 01:30:00 US/Pacific'::timestamptz;
--?
-- noon or midnight [unverified: the hour must be less than 12]
select '20080215 12:05 AM'::timestamp;
--?
-- try_cast of another form of a day [TRY_CAST; r_Date_and_time_literals]
select try_cast('20240131' as date);
--?
-- a timestamp beside a timestamptz: in UTC either conversion orders them alike [r_Datetime_types, r_timezone_config]
select order_id from orders where updated_at = created_at and updated_at <= '2024-02-01'
    and created_at between updated_at and updated_at and updated_at in (created_at) and d < updated_at;
--> 1
-- a timestamp or a timestamptz as one value [unverified: which type]
select coalesce(updated_at, created_at) from orders;
--?
-- current_timestamp beside a table [Date_functions_header: leader node only]
select order_id, current_timestamp from orders;
--?
-- times in the forms of Amazon's table [r_Date_and_time_literals: times]
select time '04:05:06.789', time '04:05:06', time '04:05', '040506'::time, '04:05 AM'::time,
    '04:05 PM'::time, '16:05'::time;
--: time, time, time, time, time, time, time
--> 04:05:06.789000 | 04:05:06 | 04:05:00 | 04:05:06 | 04:05:00 | 16:05:00 | 16:05:00
-- a column of times [r_Datetime_types: TIME]
create table opening (day varchar(3), at time, until time without time zone);
insert into opening values ('mon', '09:00', '18:30:00.5'), ('sun', null, '12:00');
select min(at), max(until), count(at) from opening where until > '11:59:59' and at is not null;
--> 09:00:00 | 18:30:00.500000 | 1
-- the text of a time [r_Datetime_types: up to six digits]
select time '09:00'::varchar(8), time '18:30:00.5' || '!';
--> '09:00:00' | '18:30:00.5!'
-- a day and a time [r_DATE-CONCATENATE_function]
select date '2000-01-01' + time '20:00:00' as ts, time '20:00:00' + date '2000-01-01';
--: timestamp, timestamp
--> 2000-01-01 20:00:00 | 2000-01-01 20:00:00
-- dateadd of a time stays within the day [r_DATEADD_function]
select dateadd(hour, 8, time '13:24:55'), dateadd(hour, 12, time '13:24:55');
--: time, time
--> 21:24:55 | 01:24:55
-- datediff of times [r_DATEDIFF_function]
select datediff(minute, time '20:00:00', time '21:00:00'), datediff(hour, time '20:24:45', time '15:24:45');
--> 60 | -5
-- parts of a time [r_EXTRACT_function]
select extract(hour from time '18:25:33'), date_part(minute, time '18:25:33'), extract(second from time '18:25:33.9');
--: integer, double, integer
--> 18 | 25.0 | 33
-- a part that a time has not [r_EXTRACT_function; the error is not documented]
select extract(day from time '18:25:33');
--?
-- an hour that there is not [r_Date_and_time_literals; the words are PostgreSQL's]
select '25:00'::time;
--! 22008
-- a time with its zone [r_Datetime_types: TIMETZ]
select timetz '20:00:00 PST';
--?
-- a cast behind a typed literal is of the day, not of its text [r_CAST_function; PostgreSQL 8.0: type 'string']
select date '2024-01-31'::timestamp, timestamp '2024-01-31 10:00:00'::date, date '2024-01-31'::varchar(10) || '!';
--: timestamp, date, varchar(11)
--> 2024-01-31 00:00:00 | 2024-01-31 | '2024-01-31!'
