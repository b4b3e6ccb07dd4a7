-- json_extract_path_text of the page [JSON_EXTRACT_PATH_TEXT's example]
select json_extract_path_text('{"f2":{"f3":1},"f4":{"f5":99,"f6":"star"}}', 'f4', 'f6');
--> 'star'
-- json_extract_path_text keeps a number as it is written [JSON_EXTRACT_PATH_TEXT: the value as text]
select json_extract_path_text('{"a":1.50}', 'a'), json_extract_path_text('{"a":true}', 'a');
--> '1.50' | 'true'
-- json_extract_path_text of an object is its JSON [JSON_EXTRACT_PATH_TEXT]
select json_extract_path_text('{"a":{"b":[1,2]}}', 'a');
--> '{"b":[1,2]}'
-- json_extract_path_text tells letters apart [JSON_EXTRACT_PATH_TEXT: path elements are case-sensitive]
select json_extract_path_text('{"A":1}', 'a');
--> NULL
-- json_extract_path_text of what is no JSON is an error [JSON_EXTRACT_PATH_TEXT; the text as seen in a course]
select json_extract_path_text('{"one":1, "two":2', 'one');
--! XX000 JSON parsing error
-- json_extract_path_text of a trailing comma is an error, too [JSON_EXTRACT_ARRAY_ELEMENT_TEXT's example]
select json_extract_path_text('{"one":1,}', 'one');
--! XX000 JSON parsing error
-- json_extract_path_text of NULL [JSON_EXTRACT_PATH_TEXT]
select json_extract_path_text(items, 'a') from orders where order_id = 2;
--> NULL
-- json_extract_path_text of letters beyond ASCII and escapes [JSON_EXTRACT_PATH_TEXT]
select json_extract_path_text('{"é":"한\\u0041"}', 'é');
--> '한A'
-- json_extract_array_element_text of the page [JSON_EXTRACT_ARRAY_ELEMENT_TEXT's examples]
select json_extract_array_element_text('[111,112,113]', 2),
    json_extract_array_element_text('["a",["b",1,["c",2,3,null,]]]', 1, true);
--> '113' | NULL
-- json_extract_array_element_text beyond the array [JSON_EXTRACT_ARRAY_ELEMENT_TEXT]
select json_extract_array_element_text('[1]', 1), json_extract_array_element_text('[1]', -1);
--> NULL | NULL
-- json_array_length of the page [JSON_ARRAY_LENGTH's examples]
select json_array_length('[11,12,13,{"f1":21,"f2":[25,26]},14]'),
    json_array_length('[11,12,13,{"f1":21,"f2":[25,26]},14', true);
--> 5 | NULL
-- json_array_length of no JSON [JSON_ARRAY_LENGTH's example]
select json_array_length('[11,12,13,{"f1":21,"f2":[25,26]},14');
--! XX000 JSON parsing error
-- is_valid_json of the page [IS_VALID_JSON's examples]
select is_valid_json('{"a":{"b":{"c":1}}}'), is_valid_json('{"a": [1,2,"b"]}'), is_valid_json('{{}}'),
    is_valid_json('{1:"a"}'), is_valid_json('[1,2,3]');
--> true | true | false | false | false
-- is_valid_json_array of the page [IS_VALID_JSON_ARRAY's examples]
select is_valid_json_array('[]'), is_valid_json_array('["a",["b",1,["c",2,3,null]]]'),
    is_valid_json_array('{"a":1}'), is_valid_json_array('a'), is_valid_json_array('[1,2,]');
--> true | true | false | false | false
-- can_json_parse of the page [CAN_JSON_PARSE's example]
select can_json_parse('[10001,10002,"abc"]'), can_json_parse('[1,');
--> true | false
-- json_parse and json_typeof of the page [JSON_PARSE's examples]
select json_parse('[10001,10002,"abc"]'), json_typeof(json_parse('[10001,10002,"abc"]'));
--: super, varchar(16)
--> '[10001,10002,"abc"]' | 'array'
-- json_typeof of an object and of members [r_json_typeof]
select json_typeof(json_parse('{"name":"Joe"}')), json_typeof(x.a), json_typeof(x.b), json_typeof(x.c)
from (select json_parse('{"a":1,"b":"t","c":true}') as x) as t;
--> 'object' | 'number' | 'string' | 'boolean'
-- an array of the page [r_array's examples]
select array(1, 50, null, 100), array(1, 'abc', true, 3.14);
--: super, super
--> '[1,50,null,100]' | '[1,"abc",true,3.14]'
-- steps into a column [query-super]
select t.s.a[1].b, s.a[0], s.zz, s.a[9] from (select json_parse('{"a":[5,{"b":"x"}]}') as s) as t;
--: super, super, super, super
--> '"x"' | '5' | NULL | NULL
-- get_array_length of what is no array [unverified beyond arrays]
select get_array_length(json_parse('[]'));
--> 0
-- unnesting objects, and the members of each [query-super]
select o.k, o.v from (select json_parse('{"l":[{"k":1,"v":"a"},{"k":2}]}') as s) as t, t.s.l as o;
--> '1' | '"a"'
--> '2' | NULL
-- unnesting an empty array gives no row [query-super]
select count(*) from (select json_parse('[]') as s) as t, t.s as o;
--> 0
-- unnesting what is no array [unverified: whether it is an element of its own]
select o from (select json_parse('{}') as s) as t, t.s as o;
--?
-- members cast to the types they have [query-super]
select s.n::integer, s.n::bigint + 1, s.d::decimal(5, 2), s.t::varchar(5), s.b::boolean, s.zz::integer
from (select json_parse('{"n":7,"d":1.5,"t":"xy","b":true}') as s) as t;
--: integer, bigint, decimal(5,2), varchar(5), boolean, integer
--> 7 | 8 | 1.50 | 'xy' | true | NULL
-- members that are cast can be compared, summed and grouped [query-super]
select o.k::varchar(3), sum(o.v::integer)
from (select json_parse('[{"k":"a","v":1},{"k":"b","v":5},{"k":"a","v":2}]') as s) as t, t.s as o
where o.v::integer < 10 group by o.k::varchar(3) order by 1;
--> 'a' | 3
--> 'b' | 5
-- a super is kept in a table [r_SUPER_type]
create table kept (id integer, s super);
insert into kept values (1, json_parse('{"a": [1, 2]}')), (2, null);
select s, get_array_length(s.a) from kept order by id;
--> '{"a":[1,2]}' | 2
--> NULL | NULL
