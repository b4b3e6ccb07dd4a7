-- json_extract_path_text of two steps [JSON_EXTRACT_PATH_TEXT]
select json_extract_path_text(items, 'a', 'b') from orders where order_id = 1;
--> 'x'
-- json_extract_path_text of a number is its text [JSON_EXTRACT_PATH_TEXT]
select json_extract_path_text(items, 'n') from orders where order_id = 1;
--> '1'
-- json_extract_path_text of no such step [JSON_EXTRACT_PATH_TEXT]
select json_extract_path_text('{"a":1}', 'zz');
--> NULL
-- json_extract_path_text of what is no JSON [JSON_EXTRACT_PATH_TEXT]
select json_extract_path_text('bad', 'a', true);
--> NULL
-- json_extract_array_element_text counts from 0 [JSON_EXTRACT_ARRAY_ELEMENT_TEXT]
select json_extract_array_element_text('[111,112]', 1);
--> '112'
-- json_array_length [JSON_ARRAY_LENGTH]
select json_array_length('[1,2,3]');
--: integer
--> 3
-- is_valid_json [IS_VALID_JSON]
select is_valid_json('{"a":1}');
--: boolean
--> true
-- a step into json_parse [query-super: documented on columns]
select json_parse('{"a":{"b":5}}').a.b;
--?
-- unnesting [query-super]
select x from (select json_parse('[1,2]') as arr) as t, t.arr as x;
--> '1'
--> '2'
-- json_serialize of json_parse [JSON_SERIALIZE]
select json_serialize(json_parse('{"a":1}'));
--> '{"a":1}'
-- json_parse cast to super [r_SUPER_type]
select json_serialize(json_parse(items)::super) from orders where order_id = 3;
--> '{}'
-- array [r_array]
select json_serialize(array(1, 2, 3));
--> '[1,2,3]'
-- get_array_length [get_array_length]
select get_array_length(array(1, 2, 3));
--: bigint
--> 3
