"""ALTER TABLE. CREATE: `ddl`; DROP: `drops`; ALTER TABLE … APPEND: `append`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote
from local_redshift.read.words import Words
from local_redshift.statements import principals
from local_redshift.statements.append import appended
from local_redshift.statements.columns import (
    Attributes,
    Reader,
    check_names,
    definition,
    read_column,
    read_constraint,
    read_encoding,
    read_type,
)
from local_redshift.transactions.commands import Command, noted
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import Column, Relation
from local_redshift.values.rights import not_owner
from local_redshift.values.uses import Uses

FORMS = "add, drop, rename, owner to, alter column, alter distkey, diststyle and sortkey, append"


def stands_alone(words: Words) -> str:
    """What an ALTER TABLE is called that cannot run in a transaction block; '' for the others."""
    lower = [word.lower for word in words.words]
    if "append" in lower[3:6]:
        return "ALTER TABLE APPEND"
    for at in range(len(lower) - 3):
        if lower[at : at + 2] == ["alter", "column"] and lower[at + 3] == "type":
            return "ALTER TABLE ALTER COLUMN"
    return ""


def alter(reader: Reader, words: Words) -> list[Command]:
    """ALTER TABLE, and what of it is allowed on a view."""
    if words.peek("user") or words.peek("group"):
        return principals.alter(words, reader.catalog)
    if not words.take("table"):
        raise refuse(
            f"alter {words.next().text}", "there are alter table, user, group, default privileges"
        )
    relation = reader.catalog.get(*words.table())
    for form, read in (
        (("owner", "to"), _owner),
        (("rename", "to"), _rename),
        (("append",), _append),
        (("rename", "column"), _rename_column),
        (("add",), _add),
        (("drop",), _drop),
        (("alter",), _attributes),
    ):
        if words.peek(*form):
            if relation.kind != "table" and form[-1] != "to":
                raise RedshiftError("42809", f'"{relation}" is a {relation.kind}, not a table')
            words.at += len(form)
            return read(reader, words, relation)
    raise refuse(f"alter table … {words.rest()[:40]}", f"there are {FORMS}")


def _append(reader: Reader, words: Words, target: Relation) -> list[Command]:
    return appended(words, target, reader.catalog)


def _unread(reader: Reader, relation: Relation, change: str) -> None:
    """Refuse a change under a view, whose text would not fit any more."""
    if views := reader.catalog.views_on(relation):
        raise refuse(
            f"{change} of {relation}, which the view {views[0]} reads",
            "drop the view, and make it again afterwards",
        )


def _owner(reader: Reader, words: Words, relation: Relation) -> list[Command]:
    owner = words.name()
    words.end()
    principals.check_principal(reader.catalog, "user", owner)
    access = reader.catalog.access
    if access is not None and not access.owns(relation.attributes):
        raise not_owner(relation.name)
    if (
        access is not None and owner != reader.catalog.user
    ):  # a view would read by the other's right
        raise RedshiftError("42501", "must be superuser to change owner")
    return [noted(replace(relation, attributes={**relation.attributes, "owner": owner}))]


def _rename(reader: Reader, words: Words, relation: Relation) -> list[Command]:
    new = words.name()
    words.end()
    if relation.schema is not None and new.startswith("#"):
        raise RedshiftError("42602", "a lasting table cannot be renamed to a temporary one's name")
    if (relation.schema, new) in reader.catalog.relations:
        raise RedshiftError("42P07", f'Relation "{new}" already exists')
    _unread(reader, relation, "a change of the name")
    if relation.kind == "materialized view":
        raise RedshiftError("0A000", f"cannot rename the materialized view {relation}")
    word = "VIEW" if relation.is_view else "TABLE"
    text = f"ALTER {word} {relation.sql} RENAME TO {quote(new)}"
    return [Command(text, Uses(), relation, Mode.ALONE)]


def _known(table: Relation, name: str) -> Column:
    for column in table.columns:
        if column.name == name:
            return column
    raise RedshiftError("42703", f'column "{name}" of relation "{table}" does not exist')


def _rename_column(reader: Reader, words: Words, table: Relation) -> list[Command]:
    old = _known(table, words.name())
    words.expect("to")
    new = words.name()
    words.end()
    _unread(reader, table, "a change of a column's name")
    columns = [replace(c, name=new) if c is old else c for c in table.columns]
    check_names(table.name, columns)
    changed = replace(
        table,
        columns=tuple(columns),
        attributes=_under_new_name(table.attributes, old.name, new),
    )
    text = f"ALTER TABLE {table.sql} RENAME COLUMN {quote(old.name)} TO {quote(new)}"
    return [Command(text, Uses(), table, Mode.ALONE), noted(changed)]


def _add(reader: Reader, words: Words, table: Relation) -> list[Command]:
    if any(words.peek(word) for word in ("constraint", "primary", "unique", "foreign", "check")):
        return _add_constraint(reader, words, table)
    words.take("column")
    more: Attributes = {}
    column = read_column(reader, words, more, table.name)
    words.end()
    calls = more.pop("udfs", None)
    if more:
        raise RedshiftError("0A000", f"ADD COLUMN takes no {', '.join(sorted(more))}")
    if not column.nullable and column.default is None:
        raise RedshiftError("42601", f'column "{column.name}" cannot be not null without a default')
    if not column.nullable:
        raise refuse("add column … not null", "make the table anew: insert into it by select")
    columns = (*table.columns, column)
    check_names(table.name, columns)
    if calls is not None:
        attributes = {**table.attributes, "udfs": sorted({*table.udfs, *calls})}
        table = replace(table, attributes=attributes)
    text = f"ALTER TABLE {table.sql} ADD COLUMN {definition(column)}"
    return [
        Command(text, Uses(), table, Mode.ALONE),
        noted(replace(table, columns=columns)),
    ]


def _add_constraint(reader: Reader, words: Words, table: Relation) -> list[Command]:
    """A key: it is kept and shown, and not enforced."""
    attributes: Attributes = {**table.attributes, "constraints": [*_constraints(table)]}
    read_constraint(reader, words, attributes, table.name)
    words.end()
    _, kind, columns = attributes["constraints"][-1]
    for name in columns:
        if _known(table, name).nullable and kind == "primary key":
            raise RedshiftError(
                "0A000", f'cannot add a primary key to the nullable column "{name}" of {table}'
            )
    return [noted(replace(table, attributes=attributes))]


def _drop(reader: Reader, words: Words, table: Relation) -> list[Command]:
    if words.take("constraint"):
        return _drop_constraint(reader, words, table)
    words.take("column")
    column = _known(table, words.name())
    _ = words.take("restrict") or words.take("cascade")
    words.end()
    _unread(reader, table, "a drop of a column")
    if column.name in (table.attributes.get("distkey"), *table.attributes.get("sortkey", [])):
        raise RedshiftError("0A000", f"cannot drop distkey or sortkey column {column.name}")
    left = tuple(other for other in table.columns if other is not column)
    if not left:
        raise RedshiftError("0A000", f"cannot drop the only column of {table}")
    attributes = dict(table.attributes)
    kept = [one for one in _constraints(table) if column.name not in one[2]]
    if "constraints" in attributes:
        attributes["constraints"] = kept
    identity = dict(attributes.get("identity", {}))
    gone = identity.pop(column.name, None)
    if gone:
        attributes["identity"] = identity
    text = f"ALTER TABLE {table.sql} DROP COLUMN {quote(column.name)}"
    after = [Command(f"DROP SEQUENCE {gone['sequence']}", Uses())] if gone else []
    return [
        Command(text, Uses(), table, Mode.ALONE),
        noted(replace(table, columns=left, attributes=attributes)),
        *after,
    ]


def _drop_constraint(reader: Reader, words: Words, table: Relation) -> list[Command]:
    name = words.name()
    _ = words.take("restrict") or words.take("cascade")
    words.end()
    kept = [one for one in _constraints(table) if one[0] != name]
    if len(kept) == len(_constraints(table)):
        raise RedshiftError("42704", f'constraint "{name}" of relation "{table}" does not exist')
    return [noted(replace(table, attributes={**table.attributes, "constraints": kept}))]


def _attributes(reader: Reader, words: Words, table: Relation) -> list[Command]:
    """ALTER DISTKEY, DISTSTYLE, SORTKEY, ENCODE and COLUMN, one or several."""
    attributes = dict(table.attributes)
    if attributes.get("interleaved") and not words.peek("sortkey"):
        raise RedshiftError("0A000", f"{table} has an interleaved sort key: alter that first")
    while True:
        if words.take("column"):
            column = _known(table, words.name())
            if words.take("encode"):
                read_encoding(words)
            else:
                table = _widened(reader, words, table, column)
        elif words.take("diststyle"):
            _diststyle(words, table, attributes)
        elif words.take("distkey"):
            _spread(attributes, _known(table, words.name()).name)
        elif words.take("sortkey", "auto") or words.take("sortkey", "none"):
            attributes.pop("sortkey", None)
        elif words.take("compound", "sortkey") or words.take("sortkey"):
            attributes["sortkey"] = [_known(table, one).name for one in words.names()]
            attributes.pop("interleaved", None)
        elif not words.take("encode", "auto"):
            raise refuse(f"alter table … alter {words.rest()[:40]}", f"there are {FORMS}")
        if not words.take(","):
            break
        words.expect("alter")
    words.end()
    return [noted(replace(table, attributes=attributes))]


def _diststyle(words: Words, table: Relation, attributes: Attributes) -> None:
    style = words.next().lower
    if style == "key":
        words.expect("distkey")
        _spread(attributes, _known(table, words.name()).name)
    elif style in ("all", "even", "auto"):
        attributes["diststyle"] = style
        attributes.pop("distkey", None)
    else:
        words.at -= 1
        raise words.error("all, even, key or auto expected")


def _widened(reader: Reader, words: Words, table: Relation, column: Column) -> Relation:
    if not words.take("type"):
        raise refuse(f"alter column … {words.rest()[:40]}", "type and encode can be altered")
    type_ = read_type(words)
    if column.type.kind != "varchar" or type_.kind != "varchar":
        raise RedshiftError("0A000", "only the length of a varchar column can be altered")
    if column.default is not None or any(column.name in one[2] for one in _constraints(table)):
        raise RedshiftError(
            "0A000", f"cannot alter the type of {column.name}, which has a default or a key"
        )
    if type_.length < column.type.length:
        raise refuse("a varchar made shorter", "make the table anew")
    _unread(reader, table, "a change of a column's type")
    columns = tuple(replace(c, type=type_) if c is column else c for c in table.columns)
    return replace(table, columns=columns)


def _spread(attributes: Attributes, column: str) -> None:
    attributes["distkey"] = column
    attributes["diststyle"] = "key"


def _constraints(table: Relation) -> list[Any]:
    """Name, kind and columns of each key."""
    return list(table.attributes.get("constraints", []))


def _under_new_name(attributes: Attributes, old: str, new: str) -> Attributes:
    """The attributes of a table, a column of which is renamed."""
    changed = dict(attributes)
    if changed.get("distkey") == old:
        changed["distkey"] = new
    if "sortkey" in changed:
        changed["sortkey"] = [new if key == old else key for key in changed["sortkey"]]
    if "constraints" in changed:
        changed["constraints"] = [
            [name, kind, [new if column == old else column for column in columns]]
            for name, kind, columns in changed["constraints"]
        ]
    for word in ("identity", "comments"):
        if old in changed.get(word, {}):
            changed[word] = {new if k == old else k: v for k, v in changed[word].items()}
    return changed
