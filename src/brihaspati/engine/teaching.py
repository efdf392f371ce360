"""What a trainer does for a class or some of it: say something, give more time, stop."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.domain import events, messages
from brihaspati.domain.classrooms import BadField, Classroom
from brihaspati.domain.messages import Message
from brihaspati.domain.sandboxes import Slot
from brihaspati.engine import records
from brihaspati.engine.budgets import Tally
from brihaspati.engine.classes import Classes
from brihaspati.engine.paging import every
from brihaspati.engine.playing import Playing
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person
from brihaspati.engine.world import World
from brihaspati.ports import Item, Key

# Everybody's page asks every few seconds; one answer serves them all for so long.
MESSAGES_MS = 1_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it went out, and to how many."""

    message: Message
    count: int


@dataclass(frozen=True, slots=True)
class Longer:
    """How many have more time now, and how many cannot: they last to the class's end already."""

    count: int
    capped: int


class Teaching:
    """The commands of trainers, and what their students hear of them."""

    def __init__(self, world: World, classes: Classes, playing: Playing) -> None:
        self.world = world
        self.classes = classes
        self.playing = playing
        self._messages: dict[str, tuple[int, tuple[Message, ...]]] = {}

    # --- messages ------------------------------------------------------------------------------
    def messages_for(self, class_id: str, user: str) -> tuple[Message, ...]:
        """The last messages that are for a person, oldest first."""
        meant = [m for m in self._all(class_id) if m.is_for(user)]
        return tuple(meant[-messages.SHOWN_MAX :])

    def _all(self, class_id: str) -> tuple[Message, ...]:
        now = self.world.clock.now()
        read_at, found = self._messages.get(class_id, (now - MESSAGES_MS, ()))
        if not read_at <= now < read_at + MESSAGES_MS:
            query = functools.partial(self.world.store.query, f"k#{class_id}", "m#")
            found = tuple(_message_of(item) for item in every(lambda cursor: query(cursor=cursor)))
            self._messages[class_id] = (now, found)
        return found

    def send(
        self, class_id: str, sender: Person, key: str, text: str, students: Sequence[str] | None
    ) -> Sent:
        """Say something, once for each `key` of the sender. Raises BadField.

        What was sent under a key before is the answer, whatever the text is now.
        """
        said = messages.text_of(text)
        here = {seat.body["user"] for seat in self.classes.roster(class_id)}
        chosen = tuple(dict.fromkeys(students)) if students is not None else None
        if chosen is not None and not (chosen and here.issuperset(chosen)):
            raise BadField(
                "students",
                "Some of these students are not in the class." if chosen else "Nobody is chosen.",
                "Reload the page, choose again, and send it again.",
            )
        now = self.world.clock.now()
        name = hashlib.sha256(f"{class_id}#{sender.id}#{key}".encode()).hexdigest()[:16]
        message = Message(name, said, sender.name, now, chosen)
        # Taken down it must not come back, when the sender's page repeats itself.
        sent = ports.Put(_sent_key(class_id, name), {"at": now}, expect=0, expires_at=_end(now))
        try:
            self.world.store.transact((sent, _put_message(class_id, message)))
        except ports.Conflict as conflict:
            item = conflict.found[0]
            assert item is not None, "only what exists is in the way"
            before = self.world.store.get(_message_key(class_id, name, item.body["at"]))
            message = _message_of(before) if before is not None else message
        self._messages.pop(class_id, None)
        return Sent(message, len(here if message.students is None else message.students))

    def unsend(self, class_id: str, name: str) -> None:
        """Take a message down; one that is not there any more is down already."""
        item = self.world.store.get(_sent_key(class_id, name))
        if item is not None:
            key = _message_key(class_id, name, item.body["at"])
            self.world.store.transact((ports.Delete(key),))
        self._messages.pop(class_id, None)

    # --- many at once --------------------------------------------------------------------------
    def extend(self, room: Classroom, minutes: int, shown: Sequence[tuple[Slot, int]]) -> Longer:
        """Give these sandboxes more time than the deadline each showed.

        Raises Problem when the budget does not cover all of it; some may have more time then.
        """
        now = self.world.clock.now()
        closes_at = room.closes_at if now < room.closes_at else None
        count = capped = 0
        tally = Tally()
        for slot, deadline_at in shown:
            event = events.Prolonged(deadline_at, minutes * 60, closes_at)
            try:
                record = self.playing.prolong(room, slot, event, tally)
            except Problem as problem:
                raise _in_part(problem, count, len(shown)) from problem
            if record is not None and record.sandbox.phase == "ready":
                count += (record.sandbox.deadline_at or 0) > deadline_at
                capped += record.sandbox.deadline_at == deadline_at
        return Longer(count, capped)

    def stop(self, room: Classroom, slots: Sequence[Slot] | None) -> int:
        """Stop these sandboxes, or all of the class; how many are on their way out now."""
        stopped = 0
        for slot in self._running(room) if slots is None else slots:
            record = self.playing.stop(slot, "ended_by_trainer")
            stopped += record is not None and record.sandbox.phase in ("stopping", "gone")
        return stopped

    def _running(self, room: Classroom) -> list[Slot]:
        """Where students have sandboxes that run, or are on their way out."""
        group = functools.partial(
            self.world.store.query_index, "group", f"k#{room.id}", prefix=records.SANDBOXES
        )
        found = [records.record_of(i).sandbox for i in every(lambda cursor: group(cursor=cursor))]
        return [s.slot for s in found if s.phase in ("queued", "starting", "ready", "stopping")]


def _in_part(problem: Problem, count: int, of: int) -> Problem:
    """Why only some of several got more time."""
    if problem.kind != "budget_spent" or not count:
        return problem
    title = f"{count} of {of} labs have more time; the budget covers no more."
    return Problem("budget_spent", title, "Raise the budget of the class, or give less time.")


def _end(now: int) -> int:
    return now + messages.LIFE_MS


def _sent_key(class_id: str, name: str) -> Key:
    return Key(f"k#{class_id}", f"sent#{name}")


def _message_key(class_id: str, name: str, at: int) -> Key:
    return Key(f"k#{class_id}", f"m#{at:015d}#{name}")


def _put_message(class_id: str, message: Message) -> ports.Put:
    body = {
        "id": message.id,
        "text": message.text,
        "sender": message.sender,
        "at": message.at,
        "students": list(message.students) if message.students is not None else None,
    }
    key = _message_key(class_id, message.id, message.at)
    return ports.Put(key, body, expires_at=_end(message.at))


def _message_of(item: Item) -> Message:
    body, only = item.body, item.body["students"]
    students = tuple(only) if only is not None else None
    return Message(body["id"], body["text"], body["sender"], body["at"], students)
