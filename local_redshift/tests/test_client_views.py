"""What clients ask of the catalogue on their own: dbt, SQLAlchemy, psql, PostgreSQL's JDBC driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine, connect
from local_redshift.views.documented import columns
from local_redshift.views.system_views import VIEWS

MADE = (
    "create schema mart",
    (
        "create table mart.sales (id bigint not null distkey, name varchar(20) default 'x', "
        "total decimal(12,2), primary key (id), constraint told unique (name, total)) sortkey (id)"
    ),
    "insert into mart.sales values (5, 'a', 1)",
    "create view mart.names as select name from mart.sales",
    "create view mart.late as select id from mart.sales with no schema binding",
    "create table near (at timestamp)",
    "comment on table mart.sales is 'The shop''s sales'",
    "comment on column mart.sales.total is 'In won'",
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
        ("select table_name, remarks from pg_catalog.svv_all_tables where schema_name = 'mart' "
        "order by 1"),
        [("late", None), ("names", None), ("sales", "The shop's sales")],
    ),
    "sort and distribution": (
        'select "table", diststyle, sortkey1 from svv_table_info', [("sales", "KEY(id)", "id")],
    ),
    "external tables": ("select count(*) from svv_external_tables", [(0,)]),
    "names with the database": (
        'select "dev"."mart"."sales"."name" from "dev"."mart"."sales" where dev.mart.sales.id = 1', [],
    ),
    "comments": (
        ("select c.relname, objsubid, description, obj_description(c.oid, 'pg_class'), "
        "col_description(c.oid, 3), col_description(c.oid, 1) from pg_description d "
        "join pg_class c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass order by 2"),
        [
            ("sales", 0, "The shop's sales", "The shop's sales", "In won", None),
            ("sales", 3, "In won", "The shop's sales", "In won", None),
        ],
    ),
    "keys, with the columns they are made of": (
        ("select t.conname, t.contype, t.conkey, a.attname, pg_get_constraintdef(t.oid, true) "
        "from pg_constraint t join pg_class c on c.oid = t.conrelid join pg_attribute a "
        "on a.attrelid = c.oid and a.attnum = any(t.conkey) order by 1, a.attnum"),
        [
            ("sales_pkey", "p", "{1}", "id", "PRIMARY KEY (id)"),
            ("told", "u", "{2,3}", "name", "UNIQUE (name, total)"),
            ("told", "u", "{2,3}", "total", "UNIQUE (name, total)"),
        ],
    ),
    "which columns have a default; its text is not kept": (
        ("select a.attname, a.atthasdef, pg_get_expr(d.adbin, d.adrelid) from pg_attribute a "
        "left join pg_attrdef d on (a.attrelid, a.attnum) = (d.adrelid, d.adnum) "
        "where a.attrelid = 'mart.sales'::regclass and a.attnum < 3 order by a.attnum"),
        [("id", False, None), ("name", True, None)],
    ),
    "the number of a relation": (
        """select relname from pg_class c where c.oid = '"mart"."names"'::regclass::oid""", [("names",)],
    ),
    "who owns it, and what is found by its bare name": (
        ("select relname, pg_get_userbyid(relowner), pg_table_is_visible(c.oid) from pg_class c "
        "where relkind in ('r', '') order by 1"),
        [("near", "admin", True), ("sales", "admin", False)],
    ),
    "an alias in WHERE, as sqlalchemy-redshift asks": (
        ("select distinct n.nspname as schema_of, array_to_string(c.relacl, ' ') as acl "
        "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where 1 and schema_of = 'public'"),
        [("public", None)],
    ),
    "a pattern by the operator's full name, as psql asks": (
        ("select relname from pg_catalog.pg_class c "
        "where c.relname operator(pg_catalog.~) '^(sales|near)$' order by 1"),
        [("near",), ("sales",)],
    ),
    "kinds in an array": (
        "select relname from pg_class where relkind = any (array['m', 'v']) order by 1",
        [("late",), ("names",)],
    ),
    "schemas, as the JDBC driver asks": (
        ("select nspname from pg_namespace where nspname <> 'public' "
        "and (nspname !~ '^pg_' or nspname = (pg_catalog.current_schemas(true))[1]) order by 1"),
        [("information_schema",), ("mart",), ("pg_catalog",)],
    ),
    "domains, as SQLAlchemy 1.4 asks": (
        ("select typname, typdefault, pg_type_is_visible(t.oid) from pg_type t "
        "where typtype = 'd' or typname = 'bool'"),
        [("bool", None, True)],
    ),
    "sizes of types": (
        "select typname, typlen, typtype from pg_type where typname in ('int2', 'varchar') order by 1",
        [("int2", 2, "b"), ("varchar", -1, "b")],
    ),
    "the number of a row is no part of a star": (
        "select oid = oid, c.* from pg_namespace c where nspname = 'mart'", [(True, "mart", 100, None)],
    ),
    "all that Amazon documents of a table; what nothing is known of is NULL": (
        ("select encoded, max_varchar, sortkey_num, unsorted, stats_off, skew_rows, "
        "estimated_visible_rows from svv_table_info"),
        [("N", 20, 1, None, None, None, 1)],
    ),
    "comments, as the driver asks": (
        ("select column_name, numeric_precision_radix, domain_name, remarks from svv_columns "
        "where table_name = 'sales' order by 1"),
        [("id", 2, None, None), ("name", None, None, None), ("total", 10, None, "In won")],
    ),
    "comments of tables": (
        "select table_name, remarks from svv_tables where remarks is not null",
        [("sales", "The shop's sales")],
    ),
    "the definitions of what is found by its bare name alone": (
        "select distinct tablename from pg_table_def", [("near",)],
    ),
    "the database": (
        ("select datname, database_name, database_type from pg_database, svv_redshift_databases"),
        [("dev", "dev", "local")],
    ),
    "the database, as the driver asks": (
        "select current_database as table_cat from current_database() order by table_cat", [("dev",)],
    ),
    "functions with their schema": ("select pg_catalog.len('abc')", [(3,)]),
}  # fmt: skip


@pytest.mark.parametrize("title", QUESTIONS)
def test_catalogue_answers(title: str, engine: Engine) -> None:
    question, answer = QUESTIONS[title]
    assert engine.execute(question).rows == answer


def test_temporary_tables_stand_in_the_catalogue_of_their_session() -> None:
    with Database() as database, connect(database) as one, connect(database) as two:
        one.execute("create temp table mine (id int, name varchar(9))")
        ((schema,),) = one.execute("select nspname from pg_namespace where nspname ~ '^pg_t'").rows
        for view, name, schema_name in (
            ("information_schema.tables", "table_name", "table_schema"),
            ("svv_tables", "table_name", "table_schema"),
            ("svv_all_tables", "table_name", "schema_name"),
            ("svv_redshift_tables", "table_name", "schema_name"),
            ("information_schema.columns", "table_name", "table_schema"),
            ("svv_columns", "table_name", "table_schema"),
            ("pg_table_def", "tablename", "schemaname"),
            ("pg_tables", "tablename", "schemaname"),
        ):
            question = f"select distinct {name}, {schema_name} from {view}"
            assert one.execute(question).rows == [("mine", schema)], view
            assert two.execute(question).rows == [], view
        classes = (
            "select a.attname, pg_table_is_visible(c.oid) from pg_class c join pg_attribute a "
            "on a.attrelid = c.oid join pg_namespace n on n.oid = c.relnamespace "
            f"where n.nspname = '{schema}' order by a.attnum"
        )
        assert one.execute(classes).rows == [("id", True), ("name", True)]
        assert one.execute("select (current_schemas(true))[1]").rows == [(schema,)]
        assert one.execute(f"select count(*) from {schema}.mine").rows == [(0,)]
        with pytest.raises(RedshiftError, match=f'schema "{schema}" does not exist'):
            two.execute(f"select count(*) from {schema}.mine")


def test_every_view_has_the_columns_that_are_documented(engine: Engine) -> None:
    for name, view in VIEWS.items():
        listed = [column for column, _ in columns(name, view.columns)]
        assert len(set(listed)) == len(listed), name
        assert {column for column, _ in view.columns} <= set(listed), name
        named = ", ".join(f'"{column}"' for column in listed)
        found = engine.execute(f"select {named} from {name} limit 1")
        assert found.columns == tuple(listed)


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


REFUSED = {
    "a relation's name by its number": ("select 'mart.sales'::regclass", "0A000"),
    "a relation that is not there": ("select 'mart.nothing'::regclass::oid", "42P01"),
    "a number as a relation's": ("select 1::oid", "0A000"),
    "a table of a type of the catalogue": ("create table t (a regclass)", "0A000"),
    "an array of a table": ("select name = any (name) from mart.sales", "0A000"),
    "a column that Redshift's catalogue has not": ("select relpersistence from pg_class", "42703"),
    "an alias in WHERE of a table": ("select id as n from mart.sales where n = 1", "42703"),
    "another text as an array": ("select array_to_string('a,b', ',')", "0A000"),
    "comments of other things": ("select obj_description(1, 'pg_type')", "0A000"),
    "indexes, which there are not": ("select * from pg_index", "0A000"),
    "rows of two lengths": ("select 1 from mart.sales where (id, id) = (id, id, id)", "42601"),
    "a number as a condition": ("select 1 from mart.sales where 1", "42804"),
}


@pytest.mark.parametrize("title", REFUSED)
def test_what_the_catalogue_does_not_know_is_refused(title: str, engine: Engine) -> None:
    statement, code = REFUSED[title]
    with pytest.raises(RedshiftError) as raised:
        engine.execute(statement)
    assert raised.value.code == code


def test_keys_are_refused_while_what_a_foreign_key_refers_to_is_not_kept() -> None:
    with Engine() as engine:
        engine.execute("create table a (id int primary key)")
        engine.execute("create table b (id int, foreign key (id) references a (id))")
        with pytest.raises(RedshiftError, match="what it refers to is not kept"):
            engine.execute("select conname from pg_constraint")


def test_a_jdbc_driver_names_an_isolation_level_and_the_database_s_stays() -> None:
    set_ = "set session characteristics as transaction isolation level"
    with Engine() as engine:
        assert engine.execute(f"{set_} read uncommitted").tag == "SET"
        with pytest.raises(RedshiftError, match="this isolation level"):
            engine.execute(f"{set_} chaos")
