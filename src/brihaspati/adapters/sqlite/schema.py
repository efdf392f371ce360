"""The tables, as steps from one version of the file to the next; steps are never edited."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from brihaspati.adapters.sqlite import faults

APPLICATION_ID = 0x62726873  # "brhs": tells our file from another program's

_FIRST = (
    """CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        partition TEXT NOT NULL,
        sort TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        indexes TEXT,
        expires_at INTEGER,
        UNIQUE (partition, sort))""",
    "CREATE INDEX items_expiry ON items (expires_at) WHERE expires_at IS NOT NULL",
    """CREATE TABLE entries (
        name TEXT NOT NULL,
        partition TEXT NOT NULL,
        sort TEXT NOT NULL,
        item INTEGER NOT NULL,
        PRIMARY KEY (name, partition, sort, item)) WITHOUT ROWID""",
    # AUTOINCREMENT: a number must never return, or a late `done` would forget another's message.
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL,
        body TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        hidden_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        dead INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX messages_visibility ON messages (dead, visible_at, id)",
    """CREATE TABLE alarms (
        name TEXT PRIMARY KEY,
        at INTEGER NOT NULL,
        topic TEXT NOT NULL,
        body TEXT NOT NULL)""",
    "CREATE INDEX alarms_moment ON alarms (at)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)


def check(connection: sqlite3.Connection, path: Path, known: int) -> int:
    """The file's version, 0 for an empty one. Raises Newer, or Broken for another's database."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != APPLICATION_ID:
        raise faults.Broken(
            f"{path} is a database of another program: give Brihaspati a data folder of its own"
        )
    if version > known:
        raise faults.Newer(
            f"{path} was written by a newer Brihaspati (schema {version}, this one knows up to"
            f" {known}): upgrade Brihaspati, or use another data folder"
        )
    return int(version)


def migrate(
    connection: sqlite3.Connection, version: int, migrations: tuple[tuple[str, ...], ...]
) -> None:
    """Step forward, each step in a transaction of its own: a crash leaves a whole version."""
    for number, statements in enumerate(migrations[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
