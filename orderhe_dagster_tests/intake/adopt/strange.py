"""A schema of twelve tables such as grow over twenty years, and the server it stands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orderhe_dagster_tests.servers.mariadb import OWNER, MariaDB
from orderhe_dagster_tests.shops import TestShop

SCHEMA = (
    # Every kind of column; a comment with all that breaks comments; a table comment that looks like a key.
    """create table customers (
        id int unsigned not null auto_increment,
        email varchar(190) character set latin1 collate latin1_bin default null
            comment 'it''s; -- "a" \\\\ `b`',
        `display-name` varchar(64) generated always as (concat('#', id)) virtual,
        born date default null,
        flags set('a','b c','it''s') not null default 'a',
        rights bit(12) not null default b'101',
        settings json default null,
        photo longblob,
        place point,
        created_at timestamp not null default current_timestamp(),
        updated_at timestamp(3) not null default current_timestamp(3) on update current_timestamp(3),
        primary key (id),
        unique key email_unique (email),
        unique key email_begins (email(10)),
        key created (created_at)
    ) engine=InnoDB auto_increment=100 default charset=utf8mb4 comment='@partition of nothing; 고객'""",
    """create table orders (
        order_no char(12) not null,
        `select` decimal(65,30) default null,
        customer_id int unsigned not null,
        order_date date not null,
        status enum('new','it''s paid','') not null default 'new',
        total decimal(12,2) not null default 0.00 check (total >= 0),
        total_with_tax decimal(14,3) generated always as (total * 1.1) stored,
        note mediumtext,
        modified datetime(6) not null default current_timestamp(6) on update current_timestamp(6),
        primary key (order_no),
        key (order_date),
        constraint fk_customer foreign key (customer_id) references customers (id) on delete cascade
    )""",
    """create table order_lines (
        order_no char(12) not null, line smallint(5) unsigned zerofill not null,
        sku varchar(20) not null, quantity mediumint not null, price float not null,
        primary key (order_no, line), fulltext key words (sku),
        foreign key (order_no) references orders (order_no)
    ) engine=InnoDB row_format=dynamic""",
    # Words of SQL, backticks and blanks as names.
    """create table `group` (`order` int not null primary key, `from``to` varchar(5), `two words` year,
        `Größe` time(2) not null default '-01:00:00.5', unique key `key` (`from``to`, `two words`))""",
    # No key, no index; a log by moments in UTC.
    """create table log_lines (logged_at timestamp(6) not null default current_timestamp(6),
        level tinyint(1) not null, text longtext, key by_time (logged_at, level)) engine=MyISAM""",
    """create table addresses (id uuid not null default uuid() primary key, ip inet6, old_ip inet4,
        uploaded varbinary(20), digest binary(16), owner_id int unsigned,
        constraint other foreign key (owner_id) references `Members` (id))""",
    # References in a circle, and to itself.
    """create table staff (id int primary key, boss int, team int, birth_date date not null,
        key (birth_date), foreign key (boss) references staff (id))""",
    # Zeros instead of days, made when the server took them.
    """create table visits (id bigint unsigned not null primary key, day date not null,
        left_at datetime not null default '0000-00-00 00:00:00', double_price double(10,3),
        key (day))""",
    "create table shapes (id int primary key, area polygon not null, spatial key (area))",
    "create table only_shapes (area polygon)",
    # Names that no file of ours can have.
    "create table `Members` (id int unsigned primary key)",
    "create table `weird name` (id int primary key)",
    "create view recent as select * from orders",
)
ORDER = (10, *range(10), 11, 12)
"""Parents first."""
ROWS = (
    """insert into customers (email, born, place, photo, settings, created_at) values
        ('a@b', '1990-02-03', point(1,2), x'00ff', '{"a":1}', '2026-01-01 15:00:00'),
        ('é', null, null, null, null, '2026-03-15 12:00:00')""",
    """insert into orders (order_no, `select`, customer_id, order_date, total, note, status) values
        ('A-1', 1.5, 100, '2026-01-01', 10.25, 'x', ''),
        ('A-2', null, 101, '2026-03-01', 3, null, 'new')""",
    "insert into order_lines values ('A-1', 7, 's', -1, 0.1), ('A-2', 1, 's', 8388607, 1e30)",
    "insert into `group` values (1, 'x', 2026, '838:59:59.99')",
    """insert into log_lines values
        ('2026-01-01 00:00:00.5', 7, '하나'), ('2026-03-31 15:00:00', 0, null)""",
    "insert into `Members` values (1)",
    "insert into addresses (ip, old_ip, digest) values ('::1', '127.0.0.1', 'abc')",
    "insert into staff values (1, null, 2, '1980-01-01'), (2, 1, null, '1999-01-01')",
    """insert into visits values (1, '2026-01-01', 0, 0.125), (2, '2026-02-15', '2026-02-15', null),
        (3, '2026-02-15', '2026-02-00', null), (18446744073709551615, '2026-01-02', '2026-02-16', -1)""",
)


def run(server: MariaDB, database: str, statements: Sequence[str]) -> list[tuple[Any, ...]]:
    """Run statements as an old server took them; the rows of the last."""
    import pymysql

    with (
        pymysql.connect(
            unix_socket=str(server.folder / "s"),
            user="root",
            database=database,
            charset="utf8mb4",
            autocommit=True,
            init_command="set sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'",
        ) as connection,
        connection.cursor() as cursor,
    ):
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def on(shop: TestShop, server: MariaDB, database: str) -> None:
    """Point the shop's settings at a database of the server."""
    shop.environ |= {
        "ORDERHE_SOURCE": "mysql",
        "ORDERHE_MYSQL_HOST": server.host,
        "ORDERHE_MYSQL_PORT": str(server.port),
        "ORDERHE_MYSQL_USER": OWNER.user,
        "ORDERHE_MYSQL_PASSWORD": OWNER.password,
        "ORDERHE_MYSQL_DATABASE": database,
        "ORDERHE_MYSQL_SSL_CA": server.ca,
    }
