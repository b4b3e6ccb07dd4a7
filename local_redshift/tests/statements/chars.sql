-- a char is padded to its length in what a query gives [r_Character_types: CHAR]
create table address (id integer, city char(10), state character(2), kind char, code nchar(3));
insert into address values (1, 'Augusta', 'GA', 'x', 'abc'), (2, 'Augusta   ', 'G', null, '');
select city, state, kind, code from address order by id;
--: char(10), char(2), char(1), char(3)
--> 'Augusta   ' | 'GA' | 'x' | 'abc'
--> 'Augusta   ' | 'G ' | NULL | '   '
-- bpchar has 256 bytes [r_Character_types: TEXT and BPCHAR types]
create table t (a bpchar);
insert into t values ('x');
select len(a), a || '|' from t;
--: integer, varchar(257)
--> 1 | 'x|'
-- the length of a char without its blanks [r_Examples_with_character_types: always 7]
create table address (city char(20));
insert into address values ('Augusta'), ('Augusta  ');
select distinct length(city), octet_length(city), count(*) from address group by city;
--> 7 | 7 | 2
-- blanks at the end do not count where chars are compared [r_Character_types: significance of trailing blanks]
create table address (city char(20), name varchar(20));
insert into address values ('Augusta', 'Augusta  ');
select count(*) from address where city = 'Augusta ' and city = name and city in ('x', 'Augusta')
    and city between 'A' and 'B' and (city, 1) in ((name, 1)) and city <> 'Augustas';
--> 1
-- they are removed when a char becomes another text [r_Character_types]
create table address (city char(20));
insert into address values ('Augusta');
select city || '|', city::varchar(20) || '|', left(city, 30) || '|', replace(city, 'u', 'o') from address;
--> 'Augusta|' | 'Augusta|' | 'Augusta|' | 'Aogosta'
-- a text too long for a char [r_Examples_with_character_types: value too long for type character(20)]
create table address (city char(20));
insert into address values ('City of South San Francisco');
--! 22001 Value too long for type character(20)
-- blanks too many for a char [r_Character_types: truncated to the maximum length]
create table address (state char(2));
insert into address values ('GA    ');
select state from address;
--> 'GA'
-- a cast cuts to the size of the column [r_Examples_with_character_types: the first 20 characters]
select 'City of South San Francisco'::char(20), 'ab'::char(4);
--: char(20), char(4)
--> 'City of South San Fr' | 'ab  '
-- a number as a char [r_CAST_function]
select 123::char(5);
--: char(5)
--> '123  '
-- a char as a number and a day [r_CAST_function]
create table t (a char(8), b char(12));
insert into t values ('12', '2024-01-31');
select a::integer + 1, b::date from t;
--> 13 | 2024-01-31
-- letters of several bytes in a char [r_Character_types: single-byte characters only]
select 'Zürich'::char(10);
--?
-- like does not ignore the blanks of a char: where they make no difference [r_patternmatching_condition_like]
create table address (city char(20), state char(2));
insert into address values ('Augusta', 'GA');
select city like 'Aug%', city like '%sta%', city not like 'B%', state like 'G_', state ilike 'ga' from address;
--> true | true | true | true | true
-- like does not ignore the blanks of a char: where they do [unverified: the pattern becomes a char, too]
create table address (city char(20));
insert into address values ('Augusta');
select city like 'Augusta' from address;
--?
-- a pattern on a char [unverified: with its blanks or without]
create table address (city char(20));
insert into address values ('Augusta');
select city ~ 'a$' from address;
--?
-- upper and lower of a char where its blanks cannot be seen [r_UPPER]
create table address (city char(20));
insert into address values ('Augusta');
select upper(city) = 'AUGUSTA', lower(city) || '|', upper(city)::varchar(20) from address;
--> true | 'augusta|' | 'AUGUSTA'
-- upper of a char as a column [unverified: a char again, or a varchar: r_UPPER says both]
create table address (city char(20));
insert into address values ('Augusta');
select upper(city) from address;
--?
-- chars of one length as one value [r_CASE_function]
create table address (a char(3), b char(3));
insert into address values ('x', 'y');
select case when a = 'x' then b else a end, coalesce(null, a), nvl2(a, b, a) from address;
--: char(3), char(3), char(3)
--> 'y  ' | 'x  ' | 'y  '
-- chars of two lengths as one value [unverified: which blanks stay]
create table address (a char(3), b char(5));
select coalesce(a, b) from address;
--?
-- a char and a text as one value [unverified: which blanks stay]
create table address (a char(3));
select coalesce(a, 'none') from address;
--?
-- the smallest and the largest char [r_MIN, r_MAX]
create table address (a char(3));
insert into address values ('b'), ('a'), ('a ');
select min(a), max(a), count(distinct a), listagg(a, ',') within group (order by a) from address;
--: char(3), char(3), bigint, varchar(65535)
--> 'a  ' | 'b  ' | 2 | 'a,a,b'
-- a union of chars [r_UNION]
create table address (a char(3));
insert into address values ('a'), ('a ');
select a from address union select a from address;
--: char(3)
--> 'a  '
-- a table made of chars [r_CREATE_TABLE_AS]
create table address (a char(3), b varchar(9));
insert into address values ('a', 'b ');
create table made as select a, a || b as c from address;
select a, c, len(c) from made;
--: char(3), varchar(12), integer
--> 'a  ' | 'ab ' | 3
-- chars in a join [r_Join_examples]
create table one (a char(3));
create table two (a char(3), b varchar(9));
insert into one values ('a');
insert into two values ('a ', 'x');
select a, b from one join two using (a);
--> 'a  ' | 'x'
-- a char in an update and a condition [r_UPDATE]
create table address (id integer, a char(3));
insert into address values (1, 'a');
update address set a = 'bc ' where a = 'a  ';
select a || '|' from address;
--> 'bc|'
-- the types of chars in the catalogue [r_PG_TABLE_DEF]
create table address (a char(3), b bpchar);
select type from pg_table_def where tablename = 'address' order by "column";
--> 'character(3)'
--> 'character(256)'
-- a char longer than the longest [r_Character_types: 4096 bytes]
create table t (a char(4097));
--! 22023
-- the longest char [r_Character_types: MAX]
create table t (a char(max));
select character_maximum_length, data_type from svv_columns where table_name = 't';
--> 4096 | 'character'
