-- fnv_hash of the page [r_FNV_HASH's examples: the bytes depend on the type]
select fnv_hash(1), fnv_hash('Amazon Redshift'), fnv_hash(1::smallint);
--: bigint, bigint, bigint
--> -5968735742475085980 | 7783490368944507294 | 589727492704079044
-- fnv_hash with a seed [r_FNV_HASH's examples]
select fnv_hash('Amazon Redshift', fnv_hash(1)), fnv_hash('cd', fnv_hash('ab'));
--> -2202602717770968555 | -281581062704388899
-- crc32 of an empty text and of NULL [crc32-function: CRC-32C of no bytes is 0]
select crc32(''), crc32(country) from orders where order_id = 4;
--> '00000000' | NULL
-- strtol of the page [r_STRTOL's examples]
select strtol('0xf', 16), strtol('abcd1234', 16), strtol('1234567', 10), strtol('1234567', 8), strtol('110101', 2);
--> 15 | 2882343476 | 1234567 | 342391 | 53
-- strtol of blanks, signs and nothing [r_STRTOL]
select strtol('', 10), strtol('  -12', 10), strtol('+7', 10);
--> 0 | -12 | 7
-- strtol of a wrong digit [r_STRTOL]
select strtol('12', 2);
--! 22023
-- strtol of NULL [r_STRTOL]
select strtol(country, 10) from orders where order_id = 4;
--> NULL
-- initcap of the page [r_INITCAP's examples]
select initcap('Nibh.enim@egestas.ca'), initcap('MLB'), initcap('All non-musical theatre');
--> 'Nibh.Enim@Egestas.Ca' | 'Mlb' | 'All Non-Musical Theatre'
-- initcap of letters beyond ASCII, digits and underscores [r_INITCAP: an underscore is a separator]
select initcap('élan VITAL 1st a_b'), initcap(''), initcap(country) from orders where order_id = 4;
--> 'Élan Vital 1st A_B' | '' | NULL
-- quote_literal doubles quotes and backslashes [r_QUOTE_LITERAL]
select quote_literal('it''s'), quote_literal('a\\b');
--> ''it''s'' | ''a\\b''
-- lpad cuts on the right, and a negative length gives nothing [r_LPAD]
select lpad('abc', 2), rpad('abc', 2), lpad('abc', -1), rpad('ab', 5, '012');
--> 'ab' | 'ab' | '' | 'ab012'
-- substring of the page [r_SUBSTRING's examples]
select substring('caterpillar', 6, 4), substring('caterpillar', 6, 8), substring('caterpillar', -2, 6),
    substring('caterpillar', -5, 4);
--> 'pill' | 'pillar' | 'cat' | ''
-- len of the page [r_LEN's examples]
select octet_length('français'), len('français'), len('cat'), len('cat   '), textlen('');
--> 9 | 8 | 3 | 6 | 0
-- charindex of the page [r_CHARINDEX's examples]
select charindex('dog', 'fish'), charindex('fish', 'dogfish');
--> 0 | 4
-- split_part beyond the parts [SPLIT_PART]
select split_part('a-b', '-', 5), split_part('ab', '-', 1), split_part('', '-', 1);
--> '' | 'ab' | ''
-- translate with fewer substitutes [r_TRANSLATE: those without are left out]
select translate('Saint Albans', ' .', '_'), translate('St. George', ' .', '_');
--> 'Saint_Albans' | 'St_George'
-- regexp_replace of the page [REGEXP_REPLACE's example]
select regexp_replace('the fox', 'FOX', 'quick brown fox', 1, 'i');
--> 'the quick brown fox'
-- regexp_replace of an escaped point [REGEXP_REPLACE: escaped by two backslashes]
select regexp_replace('a.b.c', '\\.', '-'), regexp_replace('a1 b22', '\\d', '');
--> 'a-b-c' | 'a b'
-- regexp_replace of nothing, and of NULL [REGEXP_REPLACE]
select regexp_replace('abc', 'x', 'y'), regexp_replace(country, 'x', 'y') from orders where order_id = 4;
--> 'abc' | NULL
-- regexp_substr of the page [REGEXP_SUBSTR's examples]
select regexp_substr('the fox', 'FOX', 1, 1, 'i'), regexp_substr('urna.Ut@egetdictum.edu', '@[^.]*');
--> 'fox' | '@egetdictum'
-- regexp_substr of no match, and beyond the text [REGEXP_SUBSTR: empty; NULL for an occurrence beyond its length]
select regexp_substr('abc', '[0-9]+'), regexp_substr('a1b', '[0-9]', 1, 2), regexp_substr('a1b', '[0-9]', 1, 9),
    regexp_substr('a1b2', '[0-9]', 3);
--> '' | '' | NULL | '2'
-- regexp_count of the page [REGEXP_COUNT's examples]
select regexp_count('abcdefghijklmnopqrstuvwxyz', '[a-z]{3}'), regexp_count('the fox', 'FOX', 1, 'i');
--> 8 | 1
-- regexp_count after a position [REGEXP_COUNT: in characters, not bytes]
select regexp_count('é1é2', '[0-9]', 3);
--> 1
-- regexp_instr of the page [REGEXP_INSTR's examples]
select regexp_instr('The Home Depot Center', '[cC]ent(er|re)$'), regexp_instr('Wachovia Centre', '[cC]ent(er|re)$'),
    regexp_instr('the fox', 'FOX', 1, 1, 0, 'i'), regexp_instr('sed@lacusUtnec.ca', '@[^.]*');
--> 16 | 10 | 5 | 4
-- regexp_instr of no match, of characters beyond ASCII, of NULL [REGEXP_INSTR]
select regexp_instr('abc', 'x'), regexp_instr('ééx', 'x'), regexp_instr(country, 'x') from orders where order_id = 4;
--> 0 | 3 | NULL
-- similar to matches the whole text [pattern-matching-conditions-similar-to]
select 'Agoura Hills' similar to '%E%|%H%', 'abc' similar to 'b', 'abc' similar to '_b_', 'a.c' similar to 'a.c',
    'abc' similar to 'a.c';
--> true | false | true | true | false
-- similar to with an escape [pattern-matching-conditions-similar-to's examples]
select 'start_time' similar to 'start\\_%', 'startXtime' similar to 'start^_%' escape '^', 'x' not similar to '(y|z)+';
--> true | false | true
-- similar to with a repetition and a class [pattern-matching-conditions-similar-to]
select '2024-01' similar to '[0-9]{4}-[0-9]{2}', 'aXX' similar to 'aX*', 'a' similar to 'aX+', '^' similar to '^';
--> true | true | false | true
-- like with its escape [r_patternmatching_condition_like: two backslashes]
select 'start_time' like '%start\\_%', 'startXtime' like '%start\\_%', 'a%' like 'a|%' escape '|';
--> true | false | true
-- sha2 of other lengths [SHA2: 224, 384 and 512; the digests of FIPS 180-4's example]
select sha2('abc', 224), left(sha2('abc', 384), 32), left(sha2('abc', 512), 32), sha2('abc', 0) = sha2('abc', 256);
--> '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7' | 'cb00753f45a35e8bb5a03d699ac65007' | 'ddaf35a193617abacc417349ae204131' | true
-- ascii of nothing, and beyond ASCII [r_ASCII: 0, and the code point]
select ascii(''), ascii('amazon'), ascii('日'), ascii(country) from orders where order_id = 4;
--> 0 | 97 | 26085 | NULL
-- digests of nothing [r_MD5, SHA1]
select md5(''), sha1('');
--> 'd41d8cd98f00b204e9800998ecf8427e' | 'da39a3ee5e6b4b0d3255bfef95601890afd80709'
