"""`ports.Timer` over the alarms table."""

from __future__ import annotations

from brihaspati import ports
from brihaspati.adapters.sqlite.database import Database
from brihaspati.domain import limits

_SET = """INSERT INTO alarms (name, at, topic, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, topic = excluded.topic,
    body = excluded.body"""
_CANCEL = "DELETE FROM alarms WHERE name = ?"
_EXISTS = "SELECT 1 FROM alarms WHERE name = ?"
_NEXT = "SELECT at FROM alarms ORDER BY at LIMIT 1"
_MOVE = """INSERT INTO messages (topic, body, hidden_at, visible_at)
    SELECT topic, body, ?1, ?1 FROM alarms WHERE at <= ?1 ORDER BY at, name"""
_FORGET = "DELETE FROM alarms WHERE at <= ?"


class Timer:
    """Alarms of one SQLite file, each at a moment of the wall clock; somebody must call `fire`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, name: str, at: ports.Moment, message: ports.Message) -> None:
        """Set or move the alarm, durable on return. Raises Refused, Busy or StoreFull."""
        try:
            text = limits.check_message(message.topic, message.body)
            limits.check_name("alarm", name)
        except limits.Unacceptable as fault:
            raise ports.Refused(str(fault)) from None
        with self._database.writing() as connection:
            connection.execute(_SET, (name, at, message.topic, text))

    def cancel(self, name: str) -> None:
        """Forget the alarm; cancelling an absent one writes nothing."""
        if self._database.rows(_EXISTS, (name,)):
            with self._database.writing() as connection:
                connection.execute(_CANCEL, (name,))

    def fire(self, now: ports.Moment) -> int:
        """Move every alarm due at `now` onto the queue, in one transaction; how many."""
        next_at = self.next_at()
        if next_at is None or next_at > now:
            return 0
        with self._database.writing() as connection:
            count = connection.execute(_MOVE, (now,)).rowcount
            connection.execute(_FORGET, (now,))
        self._database.announce(count)
        return count

    def next_at(self) -> ports.Moment | None:
        """When the next alarm is due; None without one."""
        rows = self._database.rows(_NEXT)
        return rows[0][0] if rows else None
