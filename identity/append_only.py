"""Triggers that let the officers' log grow and do nothing else. Put there after every migration; `doctor` looks.

A database administrator can remove a trigger: the chain then shows what was changed (`identity.core.officers_log`).
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("identity_officerlogentry",)

_SQLITE = """
CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
_POSTGRES = """
CREATE OR REPLACE FUNCTION govchain_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END$$
"""


def install(connection: BaseDatabaseWrapper) -> None:
    """Repeatable. Nothing where a table is not there yet."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES)
        for table in present.intersection(TABLES):
            for verb, level in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
                if connection.vendor == "postgresql":
                    cursor.execute(
                        f"CREATE OR REPLACE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                        f"FOR EACH {level} EXECUTE FUNCTION govchain_append_only()"
                    )
                elif verb != "TRUNCATE":
                    cursor.execute(_SQLITE.format(table=table, verb=verb))


def remove(connection: BaseDatabaseWrapper) -> None:
    """For tests, whose tables are emptied between them, and for whoever erases a node."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in present.intersection(TABLES):
            for verb in ("update", "delete", "truncate"):
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}{on}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Triggers that ought to be there and are not."""
    query = (
        "SELECT tgname FROM pg_trigger"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        there = {str(name).lower() for (name,) in cursor.fetchall()}
    wanted = {f"{table}_no_{verb}" for table in TABLES for verb in ("update", "delete")}
    return sorted(wanted - there)


def after_migrate(*, using: str, **_: Any) -> None:
    from django.db import connections

    install(connections[using])
