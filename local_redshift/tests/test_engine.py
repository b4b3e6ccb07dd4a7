"""Sessions: transactions, what is kept and what is rolled back, tables and their attributes, views."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from local_redshift.errors import RedshiftError
from local_redshift.read.words import split
from local_redshift.session.engine import Engine


def count(engine: Engine, table: str = "pairs") -> int:
    return int(engine.execute(f"select count(*) from {table}").rows[0][0])


# -- transactions ----------------------------------------------------------------------------------


def test_explain_says_whose_plan_it_is() -> None:
    with Engine() as engine:
        engine.execute("create table t (a integer)")
        found = engine.execute("explain select a, count(*) from t group by a")
        assert (found.columns, found.types) == (("QUERY PLAN",), ("varchar(65535)",))
        assert found.rows[0] == (
            "-- the local Redshift's plan: DuckDB's own, not Amazon Redshift's",
        )
        assert any("GROUP_BY" in line for (line,) in found.rows)
        with pytest.raises(RedshiftError, match='"nowhere" does not exist'):
            engine.execute("explain select * from nowhere")


def test_current_timestamp_is_the_transaction_s_with_its_zone() -> None:
    with Engine() as engine:
        engine.begin()
        first = engine.execute("select current_timestamp")
        assert (first.columns, first.types) == (("timestamptz",), ("timestamptz",))
        assert engine.execute("select current_timestamp").rows == first.rows
        ((began,),) = engine.execute("select sysdate").rows
        assert first.rows[0][0].replace(tzinfo=None) == began


def test_transaction_is_all_or_nothing(engine: Engine) -> None:
    with pytest.raises(RedshiftError, match="division by zero"):
        engine.transaction(["delete from pairs", "select 1 / 0"])
    assert count(engine) == 3
    found = engine.transaction(["delete from pairs where id = 1", "select count(*) from pairs"])
    assert (found[0].row_count, found[1].rows) == (2, [(1,)])
    assert engine.state == "idle"


def test_failed_transaction_takes_nothing_but_its_end(engine: Engine) -> None:
    engine.execute("begin")
    engine.execute("delete from pairs")
    with pytest.raises(RedshiftError, match="nowhere"):
        engine.execute("select * from nowhere")
    with pytest.raises(RedshiftError) as raised:
        engine.execute("select 1")
    assert raised.value.code == "25P02"
    engine.execute("commit")  # which rolls back
    assert count(engine) == 3


def test_tables_made_in_a_transaction_that_is_rolled_back_are_gone(engine: Engine) -> None:
    engine.execute("begin")
    engine.execute("create table made (a varchar(3))")
    engine.execute("alter table pairs add column more varchar(9)")
    engine.execute("create temp table mine (a int)")
    engine.execute("rollback")
    for name in ("made", "mine"):
        with pytest.raises(RedshiftError, match=name):
            count(engine, name)
    assert engine.execute("select * from pairs limit 0").columns == ("id", "name")


def test_temporary_and_lasting_tables_change_in_one_transaction(engine: Engine) -> None:
    engine.execute("create temp table stage (like pairs)")
    engine.transaction(
        ["insert into stage values (7, 'x')", "insert into pairs select * from stage"]
    )
    assert (count(engine), count(engine, "stage")) == (4, 1)


def test_truncate_commits_what_was_before_it(engine: Engine) -> None:
    engine.execute("begin")
    engine.execute("insert into later select * from sales where order_id = 1")
    engine.execute("truncate table pairs")
    engine.execute("rollback")  # there is nothing left to roll back
    assert (count(engine), count(engine, "later")) == (0, 3)


def test_vacuum_cannot_run_in_a_transaction(engine: Engine) -> None:
    engine.execute("vacuum full pairs to 99 percent")
    engine.execute("begin")
    with pytest.raises(RedshiftError) as raised:
        engine.execute("vacuum pairs")
    assert raised.value.code == "25001"


def test_failed_statement_outside_a_transaction_leaves_the_session_usable(engine: Engine) -> None:
    with pytest.raises(RedshiftError):
        engine.execute("create table t as select 1 / 0 as a")
    with pytest.raises(RedshiftError, match='"t"'):
        count(engine, "t")
    assert count(engine) == 3


def test_file_keeps_types_lengths_and_views(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with Engine(file) as engine:
        engine.execute("create schema warehouse")  # also the name of the file
        engine.execute("create table warehouse.t (a varchar(3) not null, b decimal(38,4))")
        engine.execute(
            "create view warehouse.v as select a || a as aa, getdate() as at from warehouse.t"
        )
        engine.execute("insert into warehouse.t values ('abc', 1.5)")
    with Engine(file, read_only=True) as engine:
        result = engine.execute("select t.*, v.aa from warehouse.t cross join warehouse.v")
        assert result.types == ("varchar(3)", "decimal(38,4)", "varchar(6)")
        with pytest.raises(RedshiftError, match="read-only"):
            engine.execute("insert into warehouse.t values ('x', 2)")
        engine.execute("create temp table mine as select a from warehouse.t")
        assert count(engine, "mine") == 1


# -- tables ----------------------------------------------------------------------------------------


def test_attributes_are_read_and_kept(engine: Engine) -> None:
    engine.execute(
        """create table if not exists facts (
            id bigint not null encode az64 distkey, day date sortkey encode raw,
            name character varying(80) default 'none' encode zstd, at timestamp without time zone,
            price numeric(12, 2), ok boolean default true, "order" int,
            primary key (id), unique (id), foreign key (id) references sales (order_id)
        ) diststyle key backup no"""
    )
    rows = engine.execute(
        'select "column", type, distkey, sortkey, "notnull" from pg_table_def'
        " where tablename = 'facts'"
    ).rows
    assert rows[:3] == [
        ("id", "bigint", True, 0, True),
        ("day", "date", False, 1, False),
        ("name", "character varying(80)", False, 0, False),
    ]
    engine.execute("insert into facts (id) values (1), (1)")  # keys are not enforced
    assert engine.execute('select name, ok, "order" from facts').rows[0] == ("none", True, None)


def test_keys_of_the_table_are_read_in_every_order(engine: Engine) -> None:
    engine.execute('create table a ("x" int) distkey("x") compound sortkey ("x")')
    engine.execute("create table b (x int) diststyle auto\nsortkey(x)")
    engine.execute("create table c (x int) sortkey auto diststyle even encode auto")
    engine.execute("create table d diststyle all sortkey(order_id) as select * from sales")
    assert count(engine, "d") == 4


def test_like_copies_columns_lengths_and_not_null_but_no_defaults(engine: Engine) -> None:
    engine.execute("create table model (a varchar(2) not null default 'x', b int default 5)")
    engine.execute("create temp table bare (like model)")
    engine.execute("create temp table full_ (like model including defaults)")
    with pytest.raises(RedshiftError, match="NULL value into column a"):
        engine.execute("insert into bare (b) values (1)")
    with pytest.raises(RedshiftError, match="too long"):
        engine.execute("insert into bare values ('abc', 1)")
    engine.execute("insert into full_ (b) values (1)")
    assert engine.execute("select a, b from full_").rows == [("x", 1)]


def test_temporary_table_hides_one_of_the_same_name(engine: Engine) -> None:
    engine.execute("create temp table pairs (a int)")
    assert count(engine) == 0
    assert count(engine, "public.pairs") == 3
    engine.execute("drop table pairs")
    assert count(engine) == 3


def test_columns_are_added_renamed_widened_and_dropped(engine: Engine) -> None:
    engine.execute("alter table pairs add column more varchar(3) default 'm'")
    engine.execute("alter table pairs rename column name to label")
    engine.execute("alter table pairs alter column label type varchar(10)")
    engine.execute("insert into pairs (id, label) values (9, 'longer one')")
    engine.execute("alter table pairs drop column id")
    engine.execute("alter table pairs rename to labels")
    result = engine.execute("select * from labels order by label desc limit 1")
    assert result.rows == [("longer one", "m")]
    assert result.types == ("varchar(10)", "varchar(3)")


def test_table_under_a_view_cannot_be_dropped_alone(engine: Engine) -> None:
    engine.execute("create view seen as select id, name from pairs")
    engine.execute("create view seen_again as select * from seen")
    with pytest.raises(RedshiftError, match=r"view public\.seen depends"):
        engine.execute("drop table pairs")
    engine.execute("insert into pairs values (5, 'e')")
    assert count(engine, "seen_again") == 4
    engine.execute("drop table pairs cascade")
    with pytest.raises(RedshiftError, match="seen"):
        count(engine, "seen")


def test_schemas_come_and_go_with_what_is_in_them(engine: Engine) -> None:
    engine.execute("create schema mart authorization admin")
    engine.execute("create schema if not exists mart")
    engine.execute("create table mart.t as select 1 as a")
    engine.execute("set search_path to mart, public")
    assert count(engine, "t") == 1
    engine.execute("create table u (a int)")
    assert count(engine, "mart.u") == 0
    engine.execute("drop schema mart cascade")
    with pytest.raises(RedshiftError, match="mart"):
        count(engine, "mart.t")


def test_system_views_tell_the_tables_and_columns(engine: Engine) -> None:
    engine.execute("create view seen as select id from pairs")
    assert engine.execute(
        "select table_name, table_type from svv_tables where table_schema = 'public' order by 1"
    ).rows == [
        ("later", "BASE TABLE"), ("pairs", "BASE TABLE"), ("sales", "BASE TABLE"), ("seen", "VIEW"),
    ]  # fmt: skip
    assert engine.execute(
        "select column_name, data_type, character_maximum_length from information_schema.columns"
        " where table_name = 'pairs' order by ordinal_position"
    ).rows == [("id", "integer", None), ("name", "character varying", 5)]


# -- rows ------------------------------------------------------------------------------------------


def test_blanks_beyond_the_length_are_dropped(engine: Engine) -> None:
    engine.execute("insert into pairs values (8, 'ab        '), (9, '한   ')")
    rows = engine.execute("select name from pairs where id > 7 order by id").rows
    assert rows == [("ab   ",), ("한  ",)]


def test_changes_say_how_many_rows(engine: Engine) -> None:
    assert engine.execute("insert into pairs (id) select order_id from sales").row_count == 4
    assert engine.execute("update pairs set name = 'z' where name is null").row_count == 4
    using = "delete from pairs using later where public.pairs.id = later.order_id"
    assert engine.execute(using).row_count == 2
    assert engine.execute("delete from pairs as p where p.name = 'z '").row_count == 2
    joined = "update sales set status = later.status || '!' from later where sales.order_id = later.order_id"
    assert engine.execute(joined).row_count == 2
    assert engine.execute("select status from sales where order_id = 3").rows == [("new!",)]


def test_values_are_assigned_exactly_or_not_at_all(engine: Engine) -> None:
    engine.execute("create table exact (i smallint, d decimal(5,2), at timestamp)")
    engine.execute("insert into exact values (1, 1.239, '2024-01-01'), ('2', '3.5', null)")
    assert [row[1] for row in engine.execute("select i, d from exact order by i").rows] == [
        Decimal("1.24"), Decimal("3.50"),
    ]  # fmt: skip
    for values in (
        "(70000, 1, null)",
        "(1, 1000.00, null)",
        "('1.5', 1, null)",
        "(1, 1, '24-1-1')",
    ):
        with pytest.raises(RedshiftError):
            engine.execute(f"insert into exact values {values}")
    assert count(engine, "exact") == 2


def test_assertion_fails_with_its_own_words(engine: Engine) -> None:
    stating = (
        "select cast(case when count(*) = {0} then '0' else 'the stage holds ' || count(*) || "
        "' rows, expected {0}' end as int) from sales"
    )
    assert engine.execute(stating.format(4)).rows == [(0,)]
    with pytest.raises(RedshiftError, match="the stage holds 4 rows, expected 5"):
        engine.execute(stating.format(5))


def test_scripts_are_split_outside_quotes_and_comments() -> None:
    script = "select ';' as a; -- not; here\n/* nor; here */ select \"a;b\" from t;\n;"
    assert split(script) == ["select ';' as a", '-- not; here\n/* nor; here */ select "a;b" from t']


def test_text_that_is_no_integer_is_told_as_a_compute_node_does(engine: Engine) -> None:
    """The message names the first wrong sign; the whole text, as our assertions need it, the detail."""
    with pytest.raises(RedshiftError) as raised:
        engine.execute("select cast('12 rows, not ' || count(*) as bigint) from pairs")
    error = raised.value
    assert (error.code, error.message) == (
        "XX000",
        "Invalid digit, Value 'r', Pos 3, Type: Long",
    )
    assert "\n  code:      1207\n  context:   12 rows, not 3\n" in error.detail
    assert str(error) == f'{error.message}: "12 rows, not 3"'
