"""What clients ask of the catalogue on their own: the questions of dbt, SQLAlchemy and the driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orderhe_dagster.redshift_standin.engine import Engine
from orderhe_dagster.redshift_standin.errors import RedshiftError

MADE = (
    "create schema mart",
    (
        "create table mart.sales (id bigint not null distkey, name varchar(20), total decimal(12,2)) "
        "sortkey (id)"
    ),
    "insert into mart.sales values (5, 'a', 1)",
    "create view mart.names as select name from mart.sales",
    "create view mart.late as select id from mart.sales with no schema binding",
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as made:
        for statement in MADE:
            made.execute(statement)
        yield made


# Title: the question, its answer.
QUESTIONS: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "is there such a schema": ("select count(*) from pg_namespace where nspname = 'mart'", [(1,)]),
    "relations and their kinds": (
        ("select c.relname, c.relkind from pg_catalog.pg_class c join pg_catalog.pg_namespace n "
        "on n.oid = c.relnamespace where n.nspname = 'mart' order by 1"),
        [("late", "v"), ("names", "v"), ("sales", "r")],
    ),
    "tables and views": (
        ("select table_name from information_schema.tables where table_schema ilike 'MART' "
        "and table_type = 'BASE TABLE' union all "
        "select table_name from information_schema.views where table_schema ilike 'mart' order by 1"),
        [("late",), ("names",), ("sales",)],
    ),
    "columns with their types": (
        ("select a.attname, a.attnotnull, a.atttypmod, t.typname from pg_attribute a "
        "join pg_class c on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid "
        "where c.relname = 'sales' order by a.attnum"),
        [
            ("id", True, -1, "int8"), ("name", False, 24, "varchar"),
            ("total", False, (12 << 16 | 2) + 4, "numeric"),
        ],
    ),
    "columns of late-binding views": (
        ("select view_name, col_name, col_type from pg_get_late_binding_view_cols() "
        "cols(view_schema name, view_name name, col_name name, col_type varchar, col_num int)"),
        [("late", "id", "bigint")],
    ),
    "which view reads which table": (
        ("select v.relname, t.relname from pg_depend d join pg_class v on v.oid = d.objid "
        "join pg_class t on t.oid = d.refobjid"),
        [("names", "sales")],
    ),
    "tables, as the driver asks": (
        "select 1 from pg_catalog.svv_all_tables where table_name = 'sales' and schema_name = 'mart'",
        [(1,)],
    ),
    "sort and distribution": (
        'select "table", diststyle, sortkey1 from svv_table_info', [("sales", "KEY(id)", "id")],
    ),
    "external tables": ("select count(*) from svv_external_tables", [(0,)]),
    "names with the database": (
        'select "dev"."mart"."sales"."name" from "dev"."mart"."sales" where dev.mart.sales.id = 1', [],
    ),
    "functions with their schema": ("select pg_catalog.len('abc')", [(3,)]),
}  # fmt: skip


@pytest.mark.parametrize("title", QUESTIONS)
def test_catalogue_answers(title: str, engine: Engine) -> None:
    question, answer = QUESTIONS[title]
    assert engine.execute(question).rows == answer


def test_names_with_the_database_stand_in_every_statement() -> None:
    with Engine() as engine:
        for statement in (
            'create table "dev"."public"."t" (id int)',
            'insert into "dev"."public"."t" (id) values (1)',
            "update dev.public.t set id = 2",
            "delete from dev.public.t where id = 3",
            'alter table "dev"."public"."t" rename to "u"',
        ):
            engine.execute(statement)
        assert engine.execute("select id from dev.public.u").rows == [(2,)]
        for statement in ("select * from other.public.u", "drop table other.public.u"):
            with pytest.raises(RedshiftError, match="a name of another database"):
                engine.execute(statement)


def test_views_that_are_not_kept_are_refused_by_name(engine: Engine) -> None:
    with pytest.raises(RedshiftError, match="the system view stl_wlm_query"):
        engine.execute("select * from stl_wlm_query")


def test_dbt_s_pattern_of_schemas_is_read_in_like_alone(engine: Engine) -> None:
    question = (
        r"select count(*) from pg_namespace where nspname not like 'pg\_%' and nspname = 'mart'"
    )
    assert engine.execute(question).rows == [(1,)]
    with pytest.raises(RedshiftError, match="the escape"):
        engine.execute(r"select 'pg\_%'")
