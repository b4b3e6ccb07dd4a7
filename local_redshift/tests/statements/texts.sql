-- two bars with NULL [r_concat_op]
select 'a' || null;
--> NULL
-- concat with NULL [r_CONCAT]
select concat('a', null);
--> NULL
-- ilike [r_patternmatching_condition_like]
select count(*) from orders where status ilike 'PA%';
--> 2
-- like sees blanks at the end [r_patternmatching_condition_like]
select 'abc ' like 'abc';
--> false
-- similar to [pattern-matching-conditions-similar-to]
select count(*) from orders where status similar to '(paid|new)';
--> 3
-- posix [pattern-matching-conditions-posix]
select count(*) from orders where status ~ '^pa';
--> 2
-- not posix, in any case [pattern-matching-conditions-posix]
select count(*) from orders where status !~* '^PA';
--> 2
-- regexp_substr [REGEXP_SUBSTR]
select regexp_substr('ab-123-cd', '[0-9]+');
--> '123'
-- regexp_substr of the second occurrence [REGEXP_SUBSTR]
select regexp_substr('a1b22c333', '[0-9]+', 1, 2);
--> '22'
-- regexp_replace replaces all [REGEXP_REPLACE]
select regexp_replace('a1b2', '[0-9]', '');
--> 'ab'
-- regexp_replace with groups [documented: REGEXP_REPLACE takes $1 and $2 for groups]
select regexp_replace('ab', '(a)(b)', '$2$1');
--> 'ba'
-- regexp_count [REGEXP_COUNT]
select regexp_count('a1b2', '[0-9]');
--: integer
--> 2
-- regexp_instr [REGEXP_INSTR]
select regexp_instr('ab1', '[0-9]');
--: integer
--> 3
-- split_part [SPLIT_PART]
select split_part('a-b-c', '-', 2);
--> 'b'
-- strtol [r_STRTOL]
select strtol('ff', 16);
--: bigint
--> 255
-- charindex [r_CHARINDEX]
select charindex('b', 'abc');
--> 2
-- position [r_POSITION]
select position('c' in 'abc');
--> 3
-- substring from and for [r_SUBSTRING]
select substring('abcdef' from 2 for 3);
--> 'bcd'
-- substring from 0 takes one off the length [r_SUBSTRING]
select substring('caterpillar', 0, 4);
--> 'cat'
-- left and right [r_LEFT]
select left('abc', 2) || right('abc', 1);
--> 'abc'
-- len counts characters [r_LEN]
select len('héé');
--> 3
-- len of char leaves blanks at the end out [r_LEN]
--~
select len('ab '::char(5));
--: integer
--> 2
-- octet_length counts bytes [r_OCTET_LENGTH]
select octet_length('é');
--> 2
-- btrim of characters [r_BTRIM]
select btrim('xxaxx', 'x');
--> 'a'
-- trim both [r_TRIM]
select trim(both 'x' from 'xax');
--> 'a'
-- lpad [r_LPAD]
select lpad('7', 3, '0');
--> '007'
-- lpad with blanks [r_LPAD]
select lpad('7', 3);
--> '  7'
-- initcap [r_INITCAP]
select initcap('hello world');
--> 'Hello World'
-- translate [r_TRANSLATE]
select translate('mint tea', 'inea', 'osin');
--> 'most tin'
-- replace [r_REPLACE]
select replace('aa', 'a', 'b');
--> 'bb'
-- reverse and repeat [r_REVERSE, r_REPEAT]
select reverse('ab') || repeat('x', 2);
--> 'baxx'
-- chr and ascii [r_CHR, r_ASCII]
select chr(65) || ascii('A');
--> 'A65'
-- sha2 [SHA2; the digest of FIPS 180-4's example]
select sha2('abc', 256);
--> 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
-- sha1 [SHA1; the digest of FIPS 180-4's example]
select sha1('abc');
--> 'a9993e364706816aba3e25717850c26c9cd0d89d'
-- md5 [r_MD5; the digest of RFC 1321's example]
select md5('abc');
--> '900150983cd24fb0d6963f7d28e17f72'
-- fnv_hash of a text [r_FNV_HASH's example]
select fnv_hash('abcd');
--: bigint
--> -281581062704388899
-- crc32 [crc32-function's example]
select crc32('Amazon Redshift');
--> 'f2726906'
-- farmfingerprint64 [farmFingerprint64-function]
select farmfingerprint64('abc');
--?
-- a backslash escapes a quote [r_UNLOAD writes \'NV\' inside a text; REGEXP_REPLACE doubles backslashes]
select 'it\'s';
--> 'it's'
-- a text with escapes [unverified: E'' is PostgreSQL's]
select e'a\nb';
--?
-- a text between dollars [unverified: documented for bodies of functions only]
select $$it's$$;
--?
-- an empty text is not NULL [c_Character_types]
select '' is null;
--> false
-- a cast to varchar(3) cuts [r_CAST_function]
select cast('abcdef' as varchar(3));
--: varchar(3)
--> 'abc'
-- the cast with colons cuts, too [r_CAST_function]
select 'abcdef'::varchar(3);
--> 'abc'
-- from_hex [r_FROM_HEX]
select from_hex('6162') is null;
--> false
-- from_hex of more bytes than there is room for [what becomes of them is not documented]
select from_hex('6162')::varbyte(1);
--?
-- from_hex of half a byte [what it gives is not documented]
select from_hex('616');
--?
-- to_hex of bytes is in small letters [r_TO_HEX]
select to_hex(from_hex('00FFab'));
--> '00ffab'
-- to_hex of NULL [r_TO_HEX]
select to_hex(null::varbyte(3));
--> NULL
-- to_hex of a number [how a negative one is written is not documented]
select to_hex(2147676847);
--?
-- octet_length of bytes [OCTET_LENGTH]
select octet_length(from_hex('00ff61'));
--: integer
--> 3
-- len of bytes counts bytes [r_LEN]
select len(from_hex('00ff61'));
--> 3
-- substring of bytes counts bytes [r_SUBSTRING]
select to_hex(substring(from_hex('00ff6162'), 2, 2));
--> 'ff61'
-- substring of bytes beyond their end [r_SUBSTRING]
select to_hex(substring(from_hex('00ff'), 2, 9));
--> 'ff'
-- substring of bytes without a length [r_SUBSTRING]
select to_hex(substring(from_hex('00ff61'), 2));
--> 'ff61'
-- substring of bytes that starts before them [what becomes of the length is documented for texts alone]
select substring(from_hex('00ff61'), 0, 2);
--?
-- md5 of bytes [the functions that take a varbyte are listed, and md5 is none of them]
select md5(from_hex('00ff'));
--?
-- a cast to varchar without a length has the size of what goes in [r_Character_types: determined using the input expression]
select repeat('ab', 200)::varchar = repeat('ab', 200), len(('x' || b)::varchar) from (select 'y'::varchar(300) as b);
--> true | 2
-- a cast to text of up to 256 bytes, as surrogate keys are made [r_Character_types: TEXT is VARCHAR(256)]
select md5(cast(coalesce(cast(status as text), '_') || '-' || coalesce(cast(qty as text), '_') as text))
from orders where order_id = 1;
--> '86125039a418c2468cf2a815b7628662'
-- a cast to text of more than 256 bytes [unverified: cut or not]
select cast(repeat('x', 300) || status as text) from orders;
--?
-- the text of a float with a fraction [extra_float_digits: 15 digits; what fits them has one text]
select 1.5::float8::varchar, (0 - 0.25)::float8::varchar(10), 0.1::real::text;
--> '1.5' | '-0.25' | '0.1'
-- the text of a whole float [unverified: 2 or 2.0]
select 2.0::float8::varchar;
--?
-- the text of a float of more than 15 digits [unverified]
select (1::float8 / 3)::varchar;
--?
