"""`ports.Queue` and `ports.Timer` in memory; they forget everything when the process ends."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.domain import limits

Copies = Callable[[ports.Message], Sequence[float]]
"""Extra delays in seconds, one per copy delivered: (0,) is honest, (0, 30) comes again late."""


@dataclass(slots=True)
class _Entry:
    number: int
    topic: str
    text: str
    hidden_at: ports.Moment
    visible_at: ports.Moment
    tries: int = 0
    dead: bool = False

    def taken(self, tag: str = "") -> ports.Taken:
        message = ports.Message(self.topic, json.loads(self.text))
        return ports.Taken(message, f"{self.number}.{tag or self.tries}", self.tries)


class Queue:
    """Messages in memory, oldest visibility first. `copies` makes delivery as bad as allowed."""

    def __init__(
        self, clock: ports.Clock, *, tries_max: int = 5, copies: Copies | None = None
    ) -> None:
        self._clock = clock
        self._tries_max = tries_max
        self._copies = copies or _honest
        self._news = threading.Condition()
        self._entries: dict[int, _Entry] = {}
        self._count = 0
        self._latest = clock.now()

    def put(self, message: ports.Message, *, delay_seconds: float = 0) -> None:
        """Add a message."""
        text = _checked(message)
        with self._news:
            now = self._now()
            for extra in self._copies(message):
                self._count += 1
                visible_at = now + _ms(delay_seconds + extra)
                entry = _Entry(self._count, message.topic, text, now, visible_at)
                self._entries[entry.number] = entry
            self._news.notify()

    def take(self, limit: int, *, visible_after_seconds: float) -> list[ports.Taken]:
        """Up to `limit` visible messages."""
        with self._news:
            now = self._now()
            self._bury(now)
            alive = [e for e in self._entries.values() if not e.dead and e.visible_at <= now]
            alive.sort(key=lambda entry: (entry.visible_at, entry.number))
            for entry in alive[:limit]:
                entry.tries += 1
                entry.hidden_at = now
                entry.visible_at = now + _ms(visible_after_seconds)
            return [entry.taken() for entry in alive[:limit]]

    def done(self, taken: ports.Taken) -> None:
        """Forget the message, even when it was handed out again since."""
        number, _ = _receipt(taken)
        with self._news:
            self._entries.pop(number, None)

    def again(self, taken: ports.Taken, *, delay_seconds: float) -> None:
        """Give back; a no-op when it was handed out again since. A dead one starts anew."""
        number, tag = _receipt(taken)
        with self._news:
            now = self._now()
            self._bury(now)
            entry = self._entries.get(number)
            if entry is None or tag != ("dead" if entry.dead else str(entry.tries)):
                return
            if entry.dead:
                entry.tries = 0
                entry.dead = False
            entry.hidden_at = now
            entry.visible_at = now + _ms(delay_seconds)
            self._news.notify()

    def dead(self, limit: int = 100) -> list[ports.Taken]:
        """Messages handed out `tries_max` times without being done, oldest first."""
        with self._news:
            self._bury(self._now())
            buried = [entry for entry in self._entries.values() if entry.dead]
            return [entry.taken("dead") for entry in buried[:limit]]

    def wait(self, timeout_seconds: float) -> bool:
        """Sleep until a message is visible (True) or the time is over (False)."""
        deadline = time.monotonic() + timeout_seconds
        with self._news:
            while True:
                now = self._now()
                next_at = self.next_at()
                if next_at is not None and next_at <= now:
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._news.wait(left if next_at is None else min(left, (next_at - now) / 1000))

    def next_at(self) -> ports.Moment | None:
        """When the next message becomes visible; a simulation jumps from one to the next."""
        with self._news:
            alive = [entry.visible_at for entry in self._entries.values() if not entry.dead]
        return min(alive, default=None)

    def _bury(self, now: ports.Moment) -> None:
        for entry in self._entries.values():
            if entry.visible_at <= now and entry.tries >= self._tries_max:
                entry.dead = True

    def _now(self) -> ports.Moment:
        """The time; if the clock was set back, hidden messages wait only what they had left."""
        now = self._clock.now()
        if now < self._latest:
            for entry in self._entries.values():
                ahead = max(0, entry.hidden_at - now)
                entry.visible_at -= ahead
                entry.hidden_at -= ahead
        self._latest = now
        return now


class Timer:
    """Alarms in memory for a queue; somebody must call `fire`."""

    def __init__(self, queue: ports.Queue) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        self._alarms: dict[str, tuple[ports.Moment, ports.Message]] = {}

    def set(self, name: str, at: ports.Moment, message: ports.Message) -> None:
        """Set or move the alarm of this name."""
        text = _checked(message)
        try:
            limits.check_name("alarm", name)
        except limits.Unacceptable as refusal:
            raise ports.Refused(str(refusal)) from None
        with self._lock:
            self._alarms[name] = (at, ports.Message(message.topic, json.loads(text)))

    def cancel(self, name: str) -> None:
        """Forget the alarm; absent is fine."""
        with self._lock:
            self._alarms.pop(name, None)

    def fire(self, now: ports.Moment) -> int:
        """Put the message of every alarm due at `now` onto the queue; how many."""
        with self._lock:
            due = sorted((at, name) for name, (at, _) in self._alarms.items() if at <= now)
            for _, name in due:
                self._queue.put(self._alarms.pop(name)[1])
        return len(due)

    def next_at(self) -> ports.Moment | None:
        """When the next alarm is due; None without one."""
        with self._lock:
            return min((at for at, _ in self._alarms.values()), default=None)


def _honest(_: ports.Message) -> Sequence[float]:
    return (0,)


def _checked(message: ports.Message) -> str:
    try:
        return limits.check_message(message.topic, message.body)
    except limits.Unacceptable as refusal:
        raise ports.Refused(str(refusal)) from None


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _receipt(taken: ports.Taken) -> tuple[int, str]:
    number, _, tag = taken.receipt.partition(".")
    return int(number), tag
