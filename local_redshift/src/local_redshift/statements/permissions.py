"""Whether a session's user may run what a statement came to. What was granted: `values.rights`."""

from __future__ import annotations

from collections.abc import Sequence

from local_redshift.transactions.commands import Command
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import DATABASE, Catalog, Relation
from local_redshift.values.rights import (
    Access,
    no_relation,
    no_schema,
    no_temporary_tables,
    not_owner,
)

_OWN = "main"  # the schema of what the file keeps of users and rights


def permit(catalog: Catalog, commands: Sequence[Command], *, truncates: bool = False) -> None:
    """RedshiftError 42501 where the user may not change what these commands change.

    What they read was asked for when it was compiled. `truncates`: rows go without being looked at.
    """
    access = catalog.access
    if access is None:
        return
    for command in commands:
        target = command.target
        if target is None or target.schema == _OWN or command.permitted:
            continue
        if target.schema is None:
            if command.sql.startswith("CREATE TEMP TABLE") and not access.has(
                "database", DATABASE, "temporary"
            ):
                raise no_temporary_tables()
            continue
        there = catalog.relations.get((target.schema, target.name))
        if there is None:
            if not access.may_in(str(target.schema), "create"):
                raise no_schema(str(target.schema))
        else:
            _permit(access, there, command, truncates)


def _permit(access: Access, there: Relation, command: Command, truncates: bool) -> None:
    verb = command.sql.split(None, 1)[0].lower()
    if there.kind == "materialized view" and command.mode is not Mode.ALONE:
        if not access.owns(there.attributes):  # it is refreshed
            raise not_owner(there.name)
        return
    if command.mode is Mode.ALONE:
        privilege = {"drop": "drop", "alter": "alter", "comment": "alter"}.get(verb, "")
        if not access.may(there.attributes, privilege):
            raise not_owner(there.name)
        return
    own = () if verb == "merge" else ("truncate" if truncates else verb,)
    if not all(access.may(there.attributes, one) for one in (*own, *command.needs)):
        raise no_relation(there.name)
