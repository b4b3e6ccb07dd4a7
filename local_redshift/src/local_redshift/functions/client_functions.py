"""Functions of PostgreSQL's catalogue that clients call on `client_views`. Other functions: `functions`."""

from __future__ import annotations

from collections.abc import Iterable

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import string
from local_redshift.values.arguments import Arguments, Context, Rule, constant, text, whole
from local_redshift.values.catalog import Catalog, Relation
from local_redshift.values.client_details import OWNER, constraints, descriptions
from local_redshift.values.client_types import TYPES
from local_redshift.values.oids import oid
from local_redshift.values.rights import Access
from local_redshift.values.types import BOOLEAN, RIGHTS, SHORTS, varchar
from local_redshift.values.value import Value

_TEXT, _LONG = varchar(256), varchar(65535)
_PLAIN = {
    "double": "double precision",
    "time": "time without time zone",
    "timetz": "time with time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}
_SIZED = {"varchar": "character varying", "char": "character", "varbyte": "binary varying"}


def _format_type(name: str, given: Arguments, context: Context) -> Value:
    """format_type(the number of a type, its modifier): its name, as pg_attribute's columns give them."""
    number, modifier = (whole(value, name) for value in given)
    cases = []
    for kind, (which, _) in TYPES.items():
        if kind in _SIZED:
            words = f"{string(_SIZED[kind] + '(')} || CAST({modifier} - 4 AS VARCHAR) || ')'"
        elif kind == "decimal":
            digits = f"CAST(({modifier} - 4) // 65536 AS VARCHAR)"
            words = (
                f"'numeric(' || {digits} || ',' || CAST(({modifier} - 4) % 65536 AS VARCHAR) || ')'"
            )
        else:
            words = string(_PLAIN.get(kind, kind))
        cases.append(f"WHEN {which} THEN {words}")
    return Value(f"(CASE {number} {' '.join(cases)} END)", _TEXT)


def _catalog(name: str, context: Context) -> Catalog:
    if context.catalog is None:
        raise refuse(f"{name} in what is kept", "ask it in a query of its own")
    return context.catalog


def _relations(name: str, context: Context) -> list[Relation]:
    return list(_catalog(name, context).relations.values())


def _cases(subject: str, known: Iterable[tuple[str, str]]) -> str:
    """The text that belongs to a number, NULL where none does."""
    listed = " ".join(f"WHEN {key} THEN {string(label)}" for key, label in known)
    return f"(CASE {subject} {listed} END)" if listed else "CAST(NULL AS VARCHAR)"


def _user(name: str, given: Arguments, context: Context) -> Value:
    """Who owns it: everything here is owned by who asks."""
    number = whole(given[0], name)
    other = f"'unknown (OID=' || CAST({number} AS VARCHAR) || ')'"
    named = f"(CASE {number} WHEN {OWNER} THEN {string(context.user)} ELSE {other} END)"
    return Value(named, _TEXT)


def _visible(name: str, given: Arguments, context: Context) -> Value:
    """Whether a relation is found by its bare name."""
    catalog, number = _catalog(name, context), whole(given[0], name)
    numbers = [
        str(oid(str(relation)))
        for relation in _relations(name, context)
        if catalog.find(None, relation.name) == relation
    ]
    return Value(f"({number} IN ({', '.join(numbers)}))" if numbers else "false", BOOLEAN)


def _type_visible(name: str, given: Arguments, context: Context) -> Value:
    """Whether a type is found by its bare name: all that there are."""
    numbers = ", ".join(str(number) for number, _ in TYPES.values())
    return Value(f"({whole(given[0], name)} IN ({numbers}))", BOOLEAN)


def _view_text(name: str, given: Arguments, context: Context) -> Value:
    """The text of a view, which is not kept: NULL."""
    whole(given[0], name)
    return Value("CAST(NULL AS VARCHAR)", _LONG)


def _array_text(name: str, given: Arguments, context: Context) -> Value:
    """An array of the catalogue as text. Rights are not kept: NULL."""
    array, between = given[0], text(given[1], name)
    if array.type.kind == RIGHTS.kind:
        return Value("CAST(NULL AS VARCHAR)", _LONG)
    if array.type.kind == SHORTS.kind:
        return Value(f"replace(trim({array.sql}, '{{}}'), ',', {between.sql})", _LONG)
    raise refuse(f"{name} of {array.type}", "give it an array of the catalogue")


def _comments(name: str, context: Context) -> list[tuple[int, int, str]]:
    return [
        (fact["objoid"], fact["objsubid"], fact["description"])
        for one in _relations(name, context)
        for fact in descriptions(one)
    ]


def _comment(name: str, given: Arguments, context: Context) -> Value:
    """obj_description(relation, 'pg_class'): what COMMENT ON said of it."""
    if len(given) == 2 and given[1].literal != "pg_class":
        raise refuse(f"{name} of other than 'pg_class'", "only tables and columns have comments")
    known = [
        (str(which), comment) for which, place, comment in _comments(name, context) if not place
    ]
    return Value(_cases(whole(given[0], name), known), _LONG)


def _column_comment(name: str, given: Arguments, context: Context) -> Value:
    """col_description(relation, the column's number)."""
    relation, column = (whole(value, name) for value in given)
    known = [
        (f"'{which}.{place}'", comment)
        for which, place, comment in _comments(name, context)
        if place
    ]
    both = f"(CAST({relation} AS VARCHAR) || '.' || CAST({column} AS VARCHAR))"
    return Value(_cases(both, known), _LONG)


def _expression(name: str, given: Arguments, context: Context) -> Value:
    """pg_get_expr(adbin, adrelid): `pg_attrdef` keeps defaults as text."""
    whole(given[1], name)
    return Value(text(given[0], name).sql, _LONG)


def _constraint(name: str, given: Arguments, context: Context) -> Value:
    """pg_get_constraintdef(constraint): PRIMARY KEY (a, b) or UNIQUE (a)."""
    known = [
        (str(key["oid"]), key["text"])
        for one in _relations(name, context)
        for key in constraints(one)
    ]
    return Value(_cases(whole(given[0], name), known), _LONG)


def _encoding(name: str, given: Arguments, context: Context) -> Value:
    """format_encoding: columns are not encoded here."""
    return Value(_cases(whole(given[0], name), [("0", "none")]), _TEXT)


_ON_TABLES = ("select", "insert", "update", "delete", "references")
_ON_SCHEMAS = ("create", "usage")


def _whose(name: str, given: Arguments, context: Context) -> tuple[Access | None, list[str]]:
    """What the user may that a has_…_privilege asks of (None: everything), and its other arguments."""
    catalog = _catalog(name, context)
    user, rest = context.user, given
    if len(given) == 3:
        rest = given[1:]
        if given[0].sql != string(context.user):
            user = constant(given[0], name).lower()
    if user != context.user and ("user", user) not in catalog.principals:
        raise RedshiftError("42704", f'user "{user}" does not exist')
    access = catalog.access if user == context.user else catalog.access_of(user)
    return access, [constant(value, name).lower() for value in rest]


def _truth(held: bool) -> Value:
    return Value("true" if held else "false", BOOLEAN)


def _table_privilege(name: str, given: Arguments, context: Context) -> Value:
    """has_table_privilege([user,] table, privilege), of names that are written out."""
    access, (table, privilege) = _whose(name, given, context)
    if privilege in ("alter", "drop", "truncate"):
        raise refuse(f"{name} of {privilege}", f"ask for one of {', '.join(_ON_TABLES)}")
    if privilege not in _ON_TABLES:
        raise RedshiftError("22023", f'unrecognized privilege type: "{privilege}"')
    catalog = _catalog(name, context)
    schema, _, bare = table.rpartition(".")
    relation = catalog.find(schema or None, bare)
    if relation is None and bare.startswith(("svv_", "pg_", "sys_", "stl_", "stv_")):
        if access is not None and not bare.startswith("pg_"):
            raise refuse(f"{name} of a system view for an ordinary user", "ask it as a superuser")
        return _truth(privilege == "select" or access is None)
    relation = relation or catalog.get(schema or None, bare)
    return _truth(access is None or access.may(relation.attributes, privilege))


def _schema_privilege(name: str, given: Arguments, context: Context) -> Value:
    """has_schema_privilege([user,] schema, privilege)."""
    access, (schema, privilege) = _whose(name, given, context)
    if privilege not in _ON_SCHEMAS:
        raise RedshiftError("22023", f'unrecognized privilege type: "{privilege}"')
    if schema not in _catalog(name, context).schemas:
        raise RedshiftError("3F000", f'schema "{schema}" does not exist')
    return _truth(access is None or access.may_in(schema, privilege))


RULES: dict[str, tuple[int, int, Rule]] = {
    "array_to_string": (2, 2, _array_text),
    "col_description": (2, 2, _column_comment),
    "format_encoding": (1, 1, _encoding),
    "format_type": (2, 2, _format_type),
    "has_schema_privilege": (2, 3, _schema_privilege),
    "has_table_privilege": (2, 3, _table_privilege),
    "obj_description": (1, 2, _comment),
    "pg_get_constraintdef": (1, 2, _constraint),
    "pg_get_expr": (2, 3, _expression),
    "pg_get_userbyid": (1, 1, _user),
    "pg_get_viewdef": (1, 2, _view_text),
    "pg_table_is_visible": (1, 1, _visible),
    "pg_type_is_visible": (1, 1, _type_visible),
}
