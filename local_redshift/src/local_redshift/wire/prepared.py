"""Prepared statements and portals: what the extended protocol keeps between messages. No sockets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from local_redshift.database.results import Stream
from local_redshift.errors import RedshiftError
from local_redshift.read.words import MAX_BYTES, split
from local_redshift.session.engine import Engine
from local_redshift.wire import parameters as wire_parameters
from local_redshift.wire import values as wire_values
from local_redshift.wire.messages import Bind, Field, Parse, ProtocolError, spread
from local_redshift.wire.parameters import Placeholders

_ENDING = ("abort", "commit", "end", "rollback")
_MULTIPLE = "cannot insert multiple commands into a prepared statement"


def statements_of(script: str) -> list[str]:
    """The statements of a text. RedshiftError 54000: it is too large to be read."""
    if len(script) > MAX_BYTES // 4 and len(script.encode("utf-8")) > MAX_BYTES:
        raise RedshiftError("54000", "Statement is too large: more than 16 MB")
    return split(script)


def fields_of(columns: Sequence[str], types: Sequence[str]) -> tuple[Field, ...]:
    """Columns as the client is told of them."""
    return tuple(map(wire_values.field, columns, types))


@dataclass
class Prepared:
    """A prepared statement and its columns, as found before any value was known; none: no rows.

    `described`: the client knows these columns, and reads the rows by them.
    """

    sql: str
    oids: tuple[int, ...]
    places: Placeholders
    fields: tuple[Field, ...] = ()
    described: bool = False

    @classmethod
    def of(cls, parse: Parse, engine: Engine) -> Prepared:
        """Read the statement of a Parse message; a query is described, with NULL for each parameter."""
        statements = statements_of(parse.sql)
        if len(statements) > 1:
            raise RedshiftError("42601", _MULTIPLE)
        sql = statements[0] if statements else ""
        if engine.state == "failed" and not sql.lower().startswith(_ENDING):
            raise RedshiftError(
                "25P02",
                "current transaction is aborted, commands ignored until end of transaction block",
            )
        places = Placeholders(sql)
        oids = parse.oids + (wire_values.UNKNOWN,) * max(places.most - len(parse.oids), 0)
        nulls = [wire_parameters.null(oid) for oid in oids]
        fields = fields_of(*engine.describe(places.filled(nulls))) if sql else ()
        return cls(sql, oids, places, fields)


@dataclass
class Portal:
    """A statement with its values, and how far its rows were sent."""

    prepared: Prepared
    sql: str
    formats: tuple[int, ...]
    stream: Stream | None = None
    fields: tuple[Field, ...] = field(default=())
    finished: bool = False

    @classmethod
    def of(cls, bind: Bind, prepared: Prepared) -> Portal:
        """Put the values of a Bind message in their places."""
        wanted, given = len(prepared.oids), len(bind.values)
        if wanted != given:
            raise ProtocolError(
                f"bind message supplies {given} parameters, but prepared statement requires {wanted}"
            )
        codes = spread(bind.formats, given)
        literals = map(wire_parameters.literal, prepared.oids, codes, bind.values)
        return cls(prepared, prepared.places.filled(list(literals)), bind.result_formats)

    def describe(self, engine: Engine) -> tuple[Field, ...]:
        """The columns: as the client was told before, otherwise those of these very values."""
        if self.stream is not None:
            return self.fields
        if self.prepared.described or not self.prepared.fields:
            return self.prepared.fields
        return fields_of(*engine.describe(self.sql))

    def start(self, engine: Engine) -> Stream:
        """Run the statement, if it does not run yet.

        Its columns must be those that the client was told of: it reads the rows by them.
        """
        if self.finished:
            raise RedshiftError("55000", "portal cannot be run anymore")
        if self.stream is None:
            stream = engine.stream(self.sql)
            actual = fields_of(stream.columns, stream.types)
            known = self.prepared.fields
            if self.prepared.described and [one.oid for one in known] != [
                one.oid for one in actual
            ]:
                raise RedshiftError("0A000", "cached plan must not change result type")
            self.stream, self.fields = stream, known if self.prepared.described else actual
        return self.stream

    def drop(self) -> None:
        """Nobody will ask for the rows that were not sent."""
        if self.stream is not None:
            self.stream.drop()
