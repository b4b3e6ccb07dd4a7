"""A statement for DuckDB with the tables that it touches, so that none forgets its locks. Runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field

from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import Relation, comment
from local_redshift.values.uses import Uses


@dataclass(frozen=True)
class Command:
    """A DuckDB text and what it uses; `mode` is how it needs its target, the one table it changes.

    APPEND: it inserts; WRITE: it updates or deletes rows; ALONE: it makes, alters or drops the target.
    `permitted`: whether its user may run it was asked already. `needs`: privileges on the target besides
    that of its verb. `grants`: it changes who may use the target, and nothing of the target itself.
    """

    sql: str
    uses: Uses
    target: Relation | None = None
    mode: Mode = Mode.READ
    permitted: bool = False
    needs: tuple[str, ...] = ()
    grants: bool = False

    @property
    def udfs(self) -> Set[str]:
        """The functions in Python that DuckDB must know: those of the target's own texts, too."""
        own = self.uses.udfs
        return own if self.target is None else own | self.target.udfs


def noted(relation: Relation) -> Command:
    """The statement that writes a relation's types and attributes onto it."""
    return Command(comment(relation), Uses(), relation, Mode.ALONE)


@dataclass
class Footprint:
    """Tables as `schema.table`. `changes`: of `writes`, those whose rows are updated or deleted.

    `grants`: those whose rights change, which readers need not wait for.
    """

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    defines: set[str] = field(default_factory=set)
    grants: set[str] = field(default_factory=set)

    def modes(self, inserts_share: bool) -> dict[str, Mode]:
        """The locks to take. `inserts_share`: INSERT and COPY may run beside one another."""
        append = Mode.APPEND if inserts_share else Mode.WRITE
        modes = dict.fromkeys(self.reads, Mode.READ)
        modes |= dict.fromkeys(self.writes, append)
        modes |= dict.fromkeys(self.changes | self.grants, Mode.WRITE)
        return modes | dict.fromkeys(self.defines, Mode.ALONE)


def footprint(commands: Iterable[Command]) -> Footprint:
    """What these statements touch. Temporary tables are a session's own: nobody else is in their way."""
    touched = Footprint()
    for command in commands:
        touched.reads |= command.uses.tables
        if command.target is None or command.target.schema is None:
            continue
        table = str(command.target)
        if command.grants:
            touched.grants.add(table)
            continue
        if command.mode is Mode.ALONE:
            touched.defines.add(table)
            continue
        touched.writes.add(table)
        if command.mode is Mode.WRITE:
            touched.changes.add(table)
            touched.reads.add(table)
    return touched
