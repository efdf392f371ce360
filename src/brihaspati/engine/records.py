"""How values become items and back, and where each kind of item lives.

    u#<user>            user                    who it is
                        k#<class>               enrolment
                        y#<class>#<lab>         the sandbox of this student and lab
                        n#<class>               how often they began a sandbox there
                        p#<class>#<lab>         how far the student is in it
    k#<class>           class, spend
                        seat#<nnnn>             a taken seat: the roster
                        name#<folded name>      keeps names apart
                        x#<sandbox>#<nnnn>      scrub record: a machine's end, and its cost
                        m#<moment>#<id>         what the trainer says, for a day
                        want#<nn>               who is expected, a hundred to an item
                        sent#<id>               that it was said, so that nobody repeats it
    j#<code>            code                    join code to class
    l#<lab>             v#<version>             a published lab
                        latest                  which version new classes get
    w#<class>#<lab>     y#<sandbox>             a pooled sandbox
    t#<digest>          link                    a one-time sign-in link
    s#<sandbox>         home, claimed           which slot it is in, for who has its id
                        m#<label>               its spent boot token, and the key it has since
                        b#<label>               its last heartbeat
                        alarm#<moment>          what should not have been tried, or happened
    sweep               suspects                what the last sweep suspected
    turns#<provider>    ledger                  whose turn it is to begin there
    list#<provider>     machines, lease, ends   what its last list showed; who lists, who ends

Index `group`: k#<class> / y#<user>#<sandbox>, p#<user>#<lab> and w#<sandbox> (the board),
classes / <opens>#<class>, labs / <lab>, alarms / <moment>#<label>. Who reads it names the kind it
means.
Index `due`: due#<shard> / <moment>#<sandbox>, only while somebody must look.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brihaspati import ports
from brihaspati.domain import access, classrooms, labs, lifecycle, limits, upkeep
from brihaspati.domain.effects import Effect
from brihaspati.domain.progress import BLANK, Progress
from brihaspati.domain.sandboxes import Sandbox, Slot
from brihaspati.engine.forms import Forms, Kept
from brihaspati.ports import Item, Key, Put

_SANDBOX = Forms(Sandbox)
_EFFECTS = Forms(tuple[Effect, ...], tag="kind")
_CLASSROOM = Forms(classrooms.Classroom)
_LAB = Forms(labs.Lab)
_PROGRESS = Forms(Progress)


def _parts(body: Mapping[str, Any]) -> tuple[Sandbox, tuple[Effect, ...]]:
    effects = body["effects"]  # of most there are none: this is read very often
    return _SANDBOX.read(body["sandbox"]), _EFFECTS.read(effects) if effects else ()


_RECORDS = Kept(_parts)
_LABS = Kept(lambda body: _LAB.known.validate_json(body["lab"]))

# The kinds in index `group`, as prefixes.
SANDBOXES = "y#"
STANDINGS = "p#"
WARM = "w#"
HOME_MS = 60 * 24 * 3_600_000
# Where a sandbox began, and where it went when it was claimed: each is written once, so that a
# store that must look before it writes over something has nothing to look for.
HOMES = ("home", "claimed")


@dataclass(frozen=True, slots=True)
class Record:
    """A sandbox with its unfinished effects and the version it was read at (0: not stored).

    `fresh` are the effects added since it was read. Only whoever writes them may send a create
    among them; everybody who finds one later looks it up instead.
    """

    sandbox: Sandbox
    unfinished: tuple[Effect, ...]
    version: int
    fresh: frozenset[Effect] = frozenset()

    def follow(self, decision: lifecycle.Decision, done: Effect | None = None) -> Record:
        """The record after a decision, with one effect done."""
        if decision.sandbox is self.sandbox and done is None and not decision.effects:
            return self
        left = [e for e in self.unfinished if e != done]
        kept = upkeep.still_needed(decision.sandbox, (*left, *decision.effects))
        fresh: frozenset[Effect] = frozenset()
        if self.fresh or decision.effects:
            fresh = frozenset([e for e in kept if e in self.fresh or e not in self.unfinished])
        return Record(decision.sandbox, kept, self.version, fresh)

    def says_the_same(self, other: Record) -> bool:
        """Whether writing this one over the other would change nothing."""
        return (self.sandbox, self.unfinished) == (other.sandbox, other.unfinished)


def sandbox_key(slot: Slot) -> Key:
    """Where the sandbox of a slot is stored."""
    if slot.user is None:
        return Key(f"w#{slot.class_id}#{slot.lab}", f"y#{slot.pooled}")
    return Key(f"u#{slot.user}", f"y#{slot.class_id}#{slot.lab}")


def slot_text(said: Mapping[str, Any]) -> str:
    """What `str()` says of a slot, from what is stored of it."""
    return f"{said['class_id']}/{said['lab']}/{said['user'] or ''}/{said['pooled'] or ''}"


def put_record(record: Record, now: int, shards: int) -> Put:
    """The conditional write of a sandbox and its unfinished effects, in one item."""
    sandbox = record.sandbox
    group = f"y#{sandbox.slot.user}#{sandbox.id}"
    if sandbox.slot.user is None:
        group = f"{WARM}{sandbox.id}"
    indexes = {"group": Key(f"k#{sandbox.slot.class_id}", group)}
    due = upkeep.due_at(sandbox, record.unfinished, now)
    if due is not None:
        indexes["due"] = Key(due_partition(sandbox.id, shards), f"{due:015d}#{sandbox.id}")
    body = limits.Plain(
        sandbox=_SANDBOX.plain(sandbox),
        effects=_EFFECTS.plain(record.unfinished) if record.unfinished else [],
    )
    key = sandbox_key(sandbox.slot)
    _RECORDS.keep(key, body, (sandbox, record.unfinished))
    return Put(key, body, expect=record.version, indexes=indexes)


def sandbox_of(item: Item) -> Sandbox:
    """The sandbox an item holds, for those who only look."""
    return _RECORDS.of(item.key, item.body)[0]


def record_of(item: Item) -> Record:
    """The sandbox an item holds."""
    sandbox, unfinished = _RECORDS.of(item.key, item.body)
    return Record(sandbox, unfinished, item.version)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a student is in a lab of a class, and the version it was read at (0: not stored)."""

    class_id: str
    lab: str
    user: str
    progress: Progress = BLANK
    version: int = 0


def standing_key(standing: Standing) -> Key:
    """Where a student's progress is stored."""
    return Key(f"u#{standing.user}", f"p#{standing.class_id}#{standing.lab}")


def key_of_standing(slot: Slot) -> Key:
    """Where the progress of a slot's student is stored."""
    return Key(f"u#{slot.user}", f"p#{slot.class_id}#{slot.lab}")


def put_standing(standing: Standing) -> Put:
    """The conditional write of a student's progress. What is as at the beginning is left out."""
    index = Key(f"k#{standing.class_id}", f"p#{standing.user}#{standing.lab}")
    body = _PROGRESS.known.dump_python(standing.progress, mode="json", exclude_defaults=True)
    return Put(standing_key(standing), body, expect=standing.version, indexes={"group": index})


def standing_of(item: Item) -> Standing:
    """The progress an item holds."""
    _, class_id, lab = item.key.sort.split("#")
    user = item.key.partition.removeprefix("u#")
    progress = _PROGRESS.kept.of(item.key, item.body)
    return Standing(class_id, lab, user, progress, item.version)


def put_home(sandbox: Sandbox, home: str, now: int) -> Put:
    """The write of where a sandbox is, for who has its id; `home`: one of `HOMES`."""
    body = {"slot": str(sandbox.slot)}
    return Put(machine_key(sandbox.id, home), body, expect=0, expires_at=now + HOME_MS)


def machine_key(sandbox_id: str, sort: str) -> Key:
    """Where something that a sandbox's machines said or are known by is stored."""
    return Key(f"s#{sandbox_id}", sort)


def beat_key(sandbox_id: str, label: str) -> Key:
    """Where the last sign of life of a rented machine is stored."""
    return machine_key(sandbox_id, f"b#{label}")


def boot_token(secrets: ports.Secrets, label: str) -> str:
    """The token that the machine of this label boots with: 256 bits nobody else can make."""
    return base64.urlsafe_b64encode(secrets.mac("bootstrap", label.encode())).decode().rstrip("=")


def due_partition(sandbox_id: str, shards: int) -> str:
    """Which shard of the due index a sandbox belongs to."""
    if shards == 1:
        return "due#0"
    return f"due#{hashlib.sha256(sandbox_id.encode()).digest()[0] % shards}"


def class_key(class_id: str) -> Key:
    """Where a class is stored."""
    return Key(f"k#{class_id}", "class")


def put_class(room: classrooms.Classroom, expect: int | None) -> Put:
    """The write of a class."""
    indexes = {"group": Key("classes", f"{room.opens_at:015d}#{room.id}")}
    body = _CLASSROOM.plain(room)
    return Put(class_key(room.id), body, expect=expect, indexes=indexes)


def class_of(item: Item) -> classrooms.Classroom:
    """The class an item holds."""
    return _CLASSROOM.kept.of(item.key, item.body)


def code_key(code: str) -> Key:
    """Where a join code points to its class."""
    return Key(f"j#{code.lower()}", "code")


def lab_key(name: str, version: str) -> Key:
    """Where a published lab version is stored."""
    return Key(f"l#{name}", f"v#{version}")


def put_lab(lab: labs.Lab) -> Put:
    """The write of a lab version; the same version has the same content, so any is fine."""
    body = {"lab": _LAB.known.dump_json(lab).decode()}
    return Put(lab_key(lab.name, lab.version), body)


def put_latest(lab: labs.Lab) -> Put:
    """The write of what the catalogue has of a lab."""
    indexes = {"group": Key("labs", lab.name)}
    body = {"name": lab.name, "version": lab.version}
    return Put(Key(f"l#{lab.name}", "latest"), body, indexes=indexes)


def lab_of(item: Item) -> labs.Lab:
    """The lab an item holds."""
    return _LABS.of(item.key, item.body)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody known to the system."""

    id: str
    name: str
    role: access.Role


def put_person(person: Person, **more: Any) -> Put:
    """The write of a new user."""
    body = {"name": person.name, "role": person.role, **more}
    return Put(Key(f"u#{person.id}", "user"), body, expect=0)


def person_of(user_id: str, body: Mapping[str, Any]) -> Person:
    """The user an item body tells of."""
    return Person(user_id, body["name"], body["role"])


def alarm_message(slot: Slot, at: int = 0) -> ports.Message:
    """The message that makes a worker look at a sandbox, for which there is no reason before `at`.

    A worker whose clock is behind would find nothing to do yet, and the message would be spent.
    """
    return ports.Message("sandbox", {"slot": str(slot), **({"at": at} if at else {})})


def script_message(slot: Slot, run: str) -> ports.Message:
    """The message that has a run's scripts run."""
    return ports.Message("script", {"slot": str(slot), "run": run})


def ending_message(slot: Slot, at: int = 0) -> ports.Message:
    """The message that makes a worker look who may delete. Where one may do all, it is the same."""
    return ports.Message("ending", alarm_message(slot, at).body)
