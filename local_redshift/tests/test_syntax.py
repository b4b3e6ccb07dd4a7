"""What other engines read and Redshift does not is no statement here either; what looks like it is."""

from __future__ import annotations

import pytest

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine

FOREIGN = {
    "select id, from pairs": "42601",
    "select , id from pairs": "42601",
    "select id from pairs,": "42601",
    "select id from pairs where id in (1, 2,)": "42601",
    "select coalesce(id, 1,) from pairs": "42601",
    "select count(*) from pairs group by id,": "42601",
    "select id from pairs order by id, limit 1": "42601",
    "insert into pairs values (3, 'c'),": "42601",
    "update pairs set name = 'x', where id = 1": "42601",
    "delete from pairs, where id = 1": "42601",
    "create table z as select id, from pairs": "42601",
    "select id from pairs where id == 1": "42601",
    "select !true": "42601",
    "select id from pairs limit 1, 1": "42601",
    "select id from pairs where name rlike 'a'": "42601",
    "select id from pairs where name not rlike 'a'": "42601",
    "select id from pairs where name regexp 'a'": "42601",
    "select id div 2 from pairs": "42601",
    "select id mod 2 from pairs": "42601",
    "select extract(year, current_date)": "42601",
    "select position('b', 'abc')": "42601",
    "select id from pairs@nosuch": "42601",
    "select current_date()": "42601",
    "select 5::tinyint": "0A000",
    "select 5::int1": "0A000",
    "select 5::long": "0A000",
    "select 5::double": "0A000",
    "select cast(cast(5 as integer) as string)": "0A000",
    "select cast('a' as clob)": "0A000",
    "select 5::number": "0A000",
    "select 'a'::longtext": "0A000",
    "select 'a'::tinytext": "0A000",
    "select convert(tinyint, '5')": "0A000",
    "select 'abc'::text(2)": "42601",
    "create table z (a text(2))": "42601",
    "create table z (a tinyint)": "0A000",
}


@pytest.mark.parametrize("sql", FOREIGN)
def test_foreign_forms_are_refused(reading: Engine, sql: str) -> None:
    with pytest.raises(RedshiftError) as caught:
        reading.execute(sql)
    assert caught.value.code == FOREIGN[sql]


OWN = {
    "select mod(7, 3), 'a, from' from pairs limit 1": (1, "a, from"),
    "select id as regexp, name as div from pairs order by 2 limit 1": (1, "a"),
    "select cast('12' as integer), convert(integer, '12'), 1::double precision": (12, 12, 1.0),
    "select left('abc', 1), right('abc', 1)": ("a", "c"),
    "select 'x' !~ 'a', position('b' in 'abc'), 'a'::character varying(3)": (True, 2, "a"),
}


@pytest.mark.parametrize("sql", OWN)
def test_redshifts_own_forms_are_read(reading: Engine, sql: str) -> None:
    assert reading.execute(sql).rows[0] == OWN[sql]


def test_text_has_256_bytes(reading: Engine) -> None:
    assert reading.execute("select 'abc'::text").types == ("varchar(256)",)
