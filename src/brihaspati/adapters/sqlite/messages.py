"""`ports.Queue` over the messages table."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

from brihaspati import ports
from brihaspati.adapters.sqlite.database import Database
from brihaspati.domain import limits

_PUT = "INSERT INTO messages (topic, body, hidden_at, visible_at) VALUES (?, ?, ?, ?)"
_NEXT = "SELECT visible_at FROM messages WHERE dead = 0 ORDER BY visible_at LIMIT 1"
_VISIBLE = """SELECT id, topic, body, tries FROM messages
    WHERE dead = 0 AND visible_at <= ? ORDER BY visible_at, id LIMIT ?"""
_HIDE = "UPDATE messages SET tries = ?, hidden_at = ?, visible_at = ? WHERE id = ?"
_BURY_SPENT = """UPDATE messages SET dead = 1
    WHERE dead = 0 AND visible_at <= ? AND tries >= ?"""
_DONE = "DELETE FROM messages WHERE id = ?"
_AGAIN = "UPDATE messages SET hidden_at = ?, visible_at = ? WHERE id = ? AND tries = ?"
_REVIVE = """UPDATE messages SET hidden_at = ?, visible_at = ?, dead = 0, tries = 0
    WHERE id = ? AND (dead = 1 OR (visible_at <= ? AND tries >= ?))"""
_DEAD = """SELECT id, topic, body, tries FROM messages
    WHERE dead = 1 OR (visible_at <= ? AND tries >= ?) ORDER BY id LIMIT ?"""
_REBASE = """UPDATE messages SET visible_at = visible_at - (hidden_at - ?1), hidden_at = ?1
    WHERE hidden_at > ?1"""
_ANY_FUTURE = "SELECT 1 FROM messages WHERE hidden_at > ? LIMIT 1"
_DEAD_TAG = "dead"


class Queue:
    """Messages of one SQLite file, oldest visibility first.

    A message is handed out `tries_max` times; if it then comes back it is dead, until somebody
    gives it back with `again`.
    """

    def __init__(
        self,
        database: Database,
        clock: ports.Clock,
        *,
        tries_max: int = 5,
        poll_seconds: float = 0.25,
    ) -> None:
        self._database = database
        self._clock = clock
        self._tries_max = tries_max
        self._poll_seconds = poll_seconds
        self._latest: ports.Moment | None = None

    def put(self, message: ports.Message, *, delay_seconds: float = 0) -> None:
        """Add a message, durable on return. Raises Refused, Busy or StoreFull."""
        try:
            text = limits.check_message(message.topic, message.body)
        except limits.Unacceptable as fault:
            raise ports.Refused(str(fault)) from None
        now = self._now()
        with self._database.writing() as connection:
            values = (message.topic, text, now, now + _ms(delay_seconds))
            connection.execute(_PUT, values)
        self._database.announce(1)

    def take(self, limit: int, *, visible_after_seconds: float) -> list[ports.Taken]:
        """Up to `limit` visible messages; looking at an empty queue writes nothing."""
        now = self._now()
        if not self._is_visible(now):
            return []
        taken = []
        with self._database.writing() as connection:
            connection.execute(_BURY_SPENT, (now, self._tries_max))
            for number, topic, body, tries in connection.execute(_VISIBLE, (now, limit)).fetchall():
                visible_at = now + _ms(visible_after_seconds)
                connection.execute(_HIDE, (tries + 1, now, visible_at, number))
                taken.append(_taken(number, topic, body, tries + 1))
        return taken

    def done(self, taken: ports.Taken) -> None:
        """Forget the message, even when it was handed out again since: its work is done."""
        number, _ = _receipt(taken)
        with self._database.writing() as connection:
            connection.execute(_DONE, (number,))

    def again(self, taken: ports.Taken, *, delay_seconds: float) -> None:
        """Give back; a no-op when it was handed out again since. A dead one starts anew."""
        number, tag = _receipt(taken)
        now = self._now()
        visible_at = now + _ms(delay_seconds)
        with self._database.writing() as connection:
            if tag == _DEAD_TAG:
                values = (now, visible_at, number, now, self._tries_max)
                connection.execute(_REVIVE, values)
            else:
                connection.execute(_AGAIN, (now, visible_at, number, int(tag)))
        self._database.announce(1)

    def dead(self, limit: int = 100) -> list[ports.Taken]:
        """Messages handed out `tries_max` times without being done, oldest first."""
        rows = self._database.rows(_DEAD, (self._now(), self._tries_max, limit))
        return [
            _taken(number, topic, body, tries, _DEAD_TAG) for number, topic, body, tries in rows
        ]

    def wait(self, timeout_seconds: float) -> bool:
        """Sleep until a message is visible (True) or the time is over (False).

        A put in this process wakes one waiter at once; other processes' are seen within
        `poll_seconds`, at the price of one small read.
        """
        deadline = time.monotonic() + timeout_seconds
        news = self._database.news
        while True:
            seen = self._database.news_count
            now = self._now()
            next_at = self._next_at()
            if next_at is not None and next_at <= now:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            pause = min(left, self._poll_seconds)
            if next_at is not None:
                pause = min(pause, (next_at - now) / 1000)
            with news:
                if self._database.news_count == seen:
                    news.wait(pause)

    def _next_at(self) -> ports.Moment | None:
        rows = self._database.rows(_NEXT)
        return rows[0][0] if rows else None

    def _is_visible(self, now: ports.Moment) -> bool:
        next_at = self._next_at()
        return next_at is not None and next_at <= now

    def _now(self) -> ports.Moment:
        """The time; if the clock was set back, hidden messages wait only what they had left."""
        now = self._clock.now()
        if self._latest is None or now < self._latest:
            self._rebase(now)
        self._latest = now
        return now

    def _rebase(self, now: ports.Moment) -> None:
        if self._database.rows(_ANY_FUTURE, (now,)):
            with self._database.writing() as connection:
                rebase(connection, now)


def rebase(connection: sqlite3.Connection, now: ports.Moment) -> None:
    """Move what was hidden at a moment still to come, keeping how long it had to wait."""
    connection.execute(_REBASE, (now,))


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _taken(number: int, topic: str, body: str, tries: int, tag: str = "") -> ports.Taken:
    loaded: dict[str, Any] = json.loads(body)
    return ports.Taken(ports.Message(topic, loaded), f"{number}.{tag or tries}", tries)


def _receipt(taken: ports.Taken) -> tuple[int, str]:
    number, _, tag = taken.receipt.partition(".")
    return int(number), tag
