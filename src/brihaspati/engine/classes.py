"""Publish labs, create classes, let people in."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from brihaspati import ports
from brihaspati.domain import classrooms, labs
from brihaspati.domain.classrooms import Classroom
from brihaspati.engine import records, warming
from brihaspati.engine.paging import every
from brihaspati.engine.problems import Problem
from brihaspati.engine.records import Person
from brihaspati.engine.rosters import Rosters
from brihaspati.engine.world import World
from brihaspati.ports import Item, Key

SEAT_TRIES_MAX = 20
SEE_CLASS = "The class page shows its labs."
CHANGE_TRIES_MAX = 20
CACHE_MS = 10_000


class Classes:
    """Classes and who is in them. Classes are read through a cache of ten seconds."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rosters = Rosters(world)
        self._cache: dict[str, tuple[int, Classroom]] = {}
        self.lab = functools.lru_cache(maxsize=256)(self._load_lab)

    # --- labs ----------------------------------------------------------------------------------
    def publish(self, lab: labs.Lab) -> None:
        """Store a lab version, the latest. The same content has the same version: repeat freely."""
        self.world.store.transact((records.put_lab(lab), records.put_latest(lab)))

    def offer(self, found: Sequence[labs.Lab]) -> None:
        """Publish these labs, and have no others in the catalogue; classes keep those they have."""
        for lab in found:
            self.publish(lab)
        names = {lab.name for lab in found}
        for item in self._latest():
            if item.body["name"] not in names:
                self.world.store.transact((ports.Delete(item.key),))

    def catalogue(self) -> list[labs.Lab]:
        """Every lab that a new class can have, by name."""
        return [self.lab(item.body["name"], item.body["version"]) for item in self._latest()]

    def _latest(self) -> list[Item]:
        store = self.world.store
        return list(every(lambda cursor: store.query_index("group", "labs", cursor=cursor)))

    def _load_lab(self, name: str, version: str) -> labs.Lab:
        item = self.world.store.get(records.lab_key(name, version))
        if item is None:
            raise Problem("not_found", f"The lab {name} is not published here.", SEE_CLASS)
        return records.lab_of(item)

    def lab_in(self, room: Classroom, name: str) -> labs.Lab:
        """The version of a lab that a class delivers. Raises Problem when it does not."""
        version = room.version_of(name)
        if version is None:
            raise Problem(
                "not_found", f"The class {room.title} has no lab called {name}.", SEE_CLASS
            )
        return self.lab(name, version)

    # --- classes -------------------------------------------------------------------------------
    def create(self, room: Classroom, teacher: Person | None = None) -> int:
        """Store a new class with its join code, and who teaches it; the version it has.

        Raises Conflict when id or code is taken.
        """
        code = ports.Put(records.code_key(room.code), {"class": room.id}, expect=0)
        place = (_teaching(room, teacher),) if teacher is not None else ()
        made = self.world.store.transact((records.put_class(room, expect=0), code, *place))[0]
        warming.told(self.world, room, new=True)
        return made

    def change(self, class_id: str, edit: Callable[[Classroom], Classroom]) -> Classroom:
        """The class as `edit` makes it of what it is, however often that is. Raises Problem."""
        for _ in range(CHANGE_TRIES_MAX):
            room, version = self.read(class_id)
            changed = edit(room)
            if changed == room:
                warming.told(self.world, room)
                return room
            try:
                self.write(changed, version)
            except ports.Conflict:
                continue
            return changed
        raise Problem("busy", "Too many are changing this class at once.", "Try again.")

    def write(self, room: Classroom, version: int, *others: ports.Write) -> int:
        """Store a class that had this version, and others with it; the new one. Raises Conflict."""
        written = self.world.store.transact((records.put_class(room, expect=version), *others))
        self._cache.pop(room.id, None)
        warming.told(self.world, room)
        return written[0]

    def free_code(self) -> str:
        """A join code nobody has yet."""
        letters = classrooms.CODE_LETTERS
        while True:
            picks = (self.world.chance.pick(len(letters)) for _ in range(classrooms.CODE_LENGTH))
            code = "".join(letters[pick] for pick in picks)
            if self.world.store.get(records.code_key(code)) is None:
                return code

    def get(self, class_id: str) -> Classroom:
        """A class by id. Raises Problem."""
        now = self.world.clock.now()
        read_at, room = self._cache.get(class_id, (0, None))
        if room is None or now - read_at > CACHE_MS or now < read_at:
            room, _ = self.read(class_id)
            self._cache[class_id] = (now, room)
        return room

    def read(self, class_id: str) -> tuple[Classroom, int]:
        """A class as it is now, and its version. Raises Problem."""
        found = self.find(class_id)
        if found is None:
            raise Problem("not_found", "There is no such class.", "Look at your classes.")
        return found

    def find(self, class_id: str) -> tuple[Classroom, int] | None:
        """As `read`; None when there is none."""
        item = self.world.store.get(records.class_key(class_id))
        return (records.class_of(item), item.version) if item is not None else None

    def by_code(self, letters: str) -> Classroom:
        """The class of a join code as typed. Raises BadField or Problem."""
        code = classrooms.code_of(letters)
        item = self.world.store.get(records.code_key(code))
        if item is None:
            raise Problem(
                "not_found",
                "No class has this code.",
                "Compare it with the code your trainer shows, letter by letter.",
                field="code",
            )
        return self.get(str(item.body["class"]))

    def all(self) -> list[Classroom]:
        """Every class, by opening time."""
        store = self.world.store
        found = every(lambda cursor: store.query_index("group", "classes", cursor=cursor))
        return [records.class_of(item) for item in found]

    # --- seats ---------------------------------------------------------------------------------
    def roster(self, class_id: str) -> list[Item]:
        """The taken seats, in seat order: user, name, email, joined_at in their bodies."""
        return self.rosters.seats(class_id)

    def join(
        self,
        room: Classroom,
        name: str,
        email: str | None,
        known: Person | None = None,
        key: str | None = None,
    ) -> Person:
        """Give a student a free seat; `known` is who they already are. Raises BadField, Problem.

        The same `key`, a secret of one press of Join, gives the same seat: its answer may be lost.
        """
        user = self._user_of(room, key) if key else self.world.chance.name(16)
        if key and (seated := self.world.store.get(Key(f"u#{user}", f"k#{room.id}"))):
            return Person(user, seated.body["name"], "student")
        name = classrooms.name_of(name)
        email = classrooms.email_of(email, required=room.email_required)
        self._must_be_open(room)
        self._must_be_expected(room, name)
        person = Person(known.id if known else user, name, "student")
        for _ in range(SEAT_TRIES_MAX):
            taken = {item.key.sort for item in self.roster(room.id)}
            free = [s for s in (f"seat#{n:04d}" for n in range(room.seats)) if s not in taken]
            # In a class that was made smaller, seats are taken that are beyond its last.
            free = free[: max(0, room.seats - len(taken))]
            if not free:
                raise Problem(
                    "class_full",
                    f"All seats of {room.title} are taken.",
                    "Ask your trainer for another seat.",
                )
            seat = free[self.world.chance.pick(len(free))]
            if self._take(room, person, seat, email, new=known is None):
                return known or person
        raise Problem("busy", "Too many are joining at once.", "Press Join again.")

    def _user_of(self, room: Classroom, key: str) -> str:
        """Who presses with this key becomes; nobody without our secret can say whose id that is."""
        digest = self.world.secrets.mac("join", f"{room.id}\n{key}".encode())
        return base64.b32encode(digest)[:16].decode().lower()

    def _take(
        self, room: Classroom, person: Person, seat: str, email: str | None, *, new: bool
    ) -> bool:
        """Take one seat in one transaction; False when somebody else just took it.

        Whose other click or device was faster has a seat already, which is as good.
        """
        now = self.world.clock.now()
        folded = hashlib.sha256(classrooms.same_name(person.name).encode()).hexdigest()[:32]
        body = {"user": person.id, "name": person.name, "email": email, "joined_at": now}
        writes: tuple[ports.Write, ...] = (
            ports.Put(Key(f"k#{room.id}", seat), body, expect=0),
            ports.Put(Key(f"k#{room.id}", f"name#{folded}"), {"user": person.id}, expect=0),
            self._enrolment(room, person, seat),
        )
        if new:
            writes = (*writes, records.put_person(person, email=email))
        try:
            self.world.store.transact(writes)
        except ports.Conflict as conflict:
            if 2 in conflict.found:
                return True
            if 1 in conflict.found:
                raise Problem(
                    "name_taken",
                    f"Someone called {person.name} is already in this class.",
                    "If it is you, open 'Continue on another device' there; "
                    "if not, add your last name.",
                    field="name",
                ) from None
            return False
        return True

    def _enrolment(self, room: Classroom, person: Person, seat: str) -> ports.Put:
        body = {"role": "student", "seat": seat, "title": room.title, "name": person.name}
        return ports.Put(Key(f"u#{person.id}", f"k#{room.id}"), body, expect=0)

    def _must_be_open(self, room: Classroom) -> None:
        state = room.state(self.world.clock.now())
        if state == "closed":
            raise Problem("class_closed", f"{room.title} is over.", "Ask for the next class.")

    def _must_be_expected(self, room: Classroom, name: str) -> None:
        if room.roster_only and not self.rosters.is_expected(room.id, name):
            raise Problem(
                "not_expected",
                f"{name} is not on the list of {room.title}.",
                "Type your name as your trainer has it, or ask to be put on the list.",
                field="name",
            )

    def instruct(self, room: Classroom, person: Person) -> None:
        """Make a person an instructor of a class, which shows the name that `room` has."""
        for _ in range(CHANGE_TRIES_MAX):
            found, version = self.read(room.id)
            taught = replace(found, instructor=room.instructor, instructor_id=person.id)
            try:
                self.write(taught, version, _teaching(taught, person))
            except ports.Conflict:
                continue
            return
        raise Problem("busy", "Too many are changing this class at once.", "Try again.")

    # --- one-time links ------------------------------------------------------------------------
    def invite(self, person: Person) -> tuple[str, int]:
        """A one-time sign-in token for a person, and when it ends (milliseconds)."""
        token = self.world.chance.name(32)
        expires_at = self.world.clock.now() + self.world.bounds.link_seconds * 1000
        body = {"user": person.id, "expires_at": expires_at}
        key = Key(f"t#{_digest(token)}", "link")
        self.world.store.transact((ports.Put(key, body, expect=0, expires_at=expires_at),))
        return token, expires_at

    def sign_in(self, token: str) -> Person:
        """Spend a one-time token. Raises Problem when it is unknown, spent or over."""
        item = self.world.store.get(Key(f"t#{_digest(token)}", "link"))
        spent = Problem(
            "link_spent",
            "This link has been used or is too old.",
            "Ask for a new one; each works once, for 15 minutes.",
            field="token",
        )
        if item is None:
            raise spent
        try:
            self.world.store.transact((ports.Delete(item.key, expect=item.version),))
        except ports.Conflict:
            raise spent from None
        return self.person(str(item.body["user"]))

    def person(self, user_id: str) -> Person:
        """Somebody by id. Raises Problem."""
        item = self.world.store.get(Key(f"u#{user_id}", "user"))
        if item is None:
            raise Problem("not_signed_in", "This person is not known here any more.")
        return records.person_of(user_id, item.body)

    def ensure_person(self, person: Person) -> Person:
        """Store a person of a fixed id (the local admin) unless they exist."""
        item = self.world.store.get(Key(f"u#{person.id}", "user"))
        if item is not None:
            return records.person_of(person.id, item.body)
        try:
            self.world.store.transact((records.put_person(person),))
        except ports.Conflict:
            return self.person(person.id)
        return person


def _teaching(room: Classroom, person: Person) -> ports.Put:
    """An instructor's place in a class."""
    body = {"role": "instructor", "seat": None, "title": room.title, "name": person.name}
    return ports.Put(Key(f"u#{person.id}", f"k#{room.id}"), body)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
