"""SQLAlchemy with sqlalchemy-redshift, on both drivers: core's statements, and what it looks up."""

from __future__ import annotations

import os

import sqlalchemy as sa

DRIVERS = ("redshift_connector", "psycopg2")


def main() -> None:
    """Say each step that works; the first that does not raises."""
    for driver in DRIVERS:
        url = sa.engine.URL.create(
            f"redshift+{driver}",
            username=os.environ["CLIENT_USER"],
            password=os.environ["CLIENT_PASSWORD"],
            host=os.environ["CLIENT_HOST"],
            port=int(os.environ["CLIENT_PORT"]),
            database=os.environ["CLIENT_DATABASE"],
        )
        options = {"sslmode": "verify-full"}
        if driver == "psycopg2":  # as Superset is given it: all of it in the address
            url = url.set(query={**options, "sslrootcert": os.environ["PGSSLROOTCERT"]})
            options = {}
        engine = sa.create_engine(url.render_as_string(hide_password=False), connect_args=options)
        core(engine, driver)
        look(engine, driver)
        engine.dispose()


def core(engine: sa.Engine, driver: str) -> None:
    """Tables, rows, transactions."""
    table = sa.Table(
        f"things_{driver}",
        sa.MetaData(),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(20)),
        sa.Column("price", sa.Integer),
        sa.Column("at", sa.DateTime),
    )
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateTable(table))
        connection.execute(sa.text(f"comment on column things_{driver}.price is 'In won'"))
        connection.execute(sa.text(f"create view seen_{driver} as select id from things_{driver}"))
        connection.execute(
            table.insert(), [{"id": n, "name": f"n{n}", "price": n} for n in range(3)]
        )
    with engine.begin() as connection:
        connection.execute(table.update().where(table.c.id == 1).values(name="한"))
        connection.execute(table.delete().where(table.c.id == 2))
    with engine.connect() as connection:
        query = sa.select(table.c.name, sa.func.sum(table.c.price)).group_by(table.c.name)
        rows = connection.execute(query.order_by(table.c.name)).all()
        assert [row[0] for row in rows] == ["n0", "한"], rows
    print(f"{driver}: core", flush=True)


def look(engine: sa.Engine, driver: str) -> None:
    """What the inspector looks up."""
    inspector = sa.inspect(engine)
    name = f"things_{driver}"
    assert "public" in inspector.get_schema_names()
    assert name in inspector.get_table_names(schema="public")
    columns = inspector.get_columns(name, schema="public")
    assert [column["name"] for column in columns] == ["id", "name", "price", "at"], columns
    assert inspector.has_table(name, schema="public")
    assert [column["comment"] for column in columns] == [None, None, "In won", None]
    assert inspector.get_pk_constraint(name, schema="public")["constrained_columns"] == ["id"]
    assert inspector.get_foreign_keys(name, schema="public") == []
    assert f"seen_{driver}" in inspector.get_view_names(schema="public")
    print(f"{driver}: inspector, {[str(column['type']) for column in columns]}", flush=True)


if __name__ == "__main__":
    main()
