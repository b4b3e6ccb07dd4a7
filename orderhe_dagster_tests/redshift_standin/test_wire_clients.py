"""The local Redshift through real, unmodified clients: redshift-connector, psql and pandas."""

from __future__ import annotations

from orderhe_dagster_tests.servers.wire import Redshift


def test_the_driver_connects_with_tls_and_reads_what_it_wrote(redshift: Redshift) -> None:
    with redshift.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create table orders (id integer not null, note varchar(20))")
        cursor.execute("insert into orders values (%s, %s), (%s, %s)", (1, "it's", 2, None))
        connection.commit()
        cursor.execute("select id, note from orders order by id")
        assert cursor.fetchall() == ([1, "it's"], [2, None])
