"""All we ask of the world, in our words. Every adapter passes the contract tests of its port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from brihaspati.domain import labs

Moment = int  # whole milliseconds since the epoch, UTC; durations say their unit


# --- Store --------------------------------------------------------------------------------------
class Key(NamedTuple):
    """Where an item lives. Lower case, parts joined by '#'; at most 1,024 bytes each."""

    partition: str
    sort: str


@dataclass(frozen=True, slots=True)
class Item:
    """A stored body (JSON values only) and the version it has; `indexes` maps name to Key."""

    key: Key
    version: int
    body: Mapping[str, Any]
    indexes: Mapping[str, Key] = field(default_factory=dict)
    expires_at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole item. `expect`: 0 = must not exist, n = has this version, None = any."""

    key: Key
    body: Mapping[str, Any]
    expect: int | None = None
    indexes: Mapping[str, Key] = field(default_factory=dict)
    expires_at: Moment | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an item if it has the expected version (None = any; absent is then fine)."""

    key: Key
    expect: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Let the transaction pass only if the item has this version (0 = absent)."""

    key: Key
    expect: int


Write = Put | Delete | Check


@dataclass(frozen=True, slots=True)
class Page:
    """Items in sort order (UTF-8 bytes) and where to go on; a last page may carry a cursor."""

    items: tuple[Item, ...]
    cursor: str | None = None


class Conflict(Exception):  # noqa: N818 - a normal answer, named for what it is
    """Nothing was written. `found` has, per failing write, its place and the item now stored."""

    def __init__(self, found: Mapping[int, Item | None]) -> None:
        super().__init__(f"{len(found)} of the writes met another version")
        self.found = dict(found)


class Busy(Exception):  # noqa: N818
    """The store could not take the request now (throttled, locked); trying again may succeed."""


class Refused(ValueError):  # noqa: N818
    """The request can never succeed: too large, duplicate keys, an empty or over-long key."""


class NotSetUp(Exception):  # noqa: N818
    """What an operator has to make is missing or cannot be used; the text says how to make it."""


class StoreFull(Exception):  # noqa: N818
    """The disk under the store is full; nothing was written."""


class Store(Protocol):
    """Items with versions. An expired item is absent, whether or not it is deleted yet.

    An index may lag behind the items: confirm by `get` before acting on what it says.
    """

    def get(self, key: Key) -> Item | None:
        """The item, read strongly, or None."""
        ...

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """Those of up to 100 keys that exist."""
        ...

    def query(
        self, partition: str, prefix: str = "", *, limit: int = 100, cursor: str | None = None
    ) -> Page:
        """Items of one partition whose sort key starts with `prefix`, ascending."""
        ...

    def query_index(
        self,
        index: str,
        partition: str,
        *,
        prefix: str = "",
        until: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """As `query`, over an index; `until` bounds the sort key from above, inclusive."""
        ...

    def transact(self, writes: Sequence[Write]) -> tuple[int, ...]:
        """Write 1 to 100 items all or nothing; new versions in order (0 for Delete and Check).

        Raises Conflict, Busy, Refused or StoreFull.
        """
        ...


# --- Queue and Timer ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Message:
    """Work to do. `topic` names the handler; delivery is at least once, in no promised order."""

    topic: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """A message handed out until its visibility ends; `tries` counts deliveries, from 1."""

    message: Message
    receipt: str
    tries: int


class Queue(Protocol):
    """Messages that survive a crash. One that fails `tries_max` times goes to the dead letters."""

    def put(self, message: Message, *, delay_seconds: float = 0) -> None:
        """Add a message, visible after the delay."""
        ...

    def take(self, limit: int, *, visible_after_seconds: float) -> list[Taken]:
        """Up to `limit` messages; each comes back after the given time unless done."""
        ...

    def done(self, taken: Taken) -> None:
        """Forget the message."""
        ...

    def again(self, taken: Taken, *, delay_seconds: float) -> None:
        """Give the message back, visible after the delay."""
        ...

    def dead(self, limit: int = 100) -> list[Taken]:
        """Messages that failed too often."""
        ...


class Timer(Protocol):
    """One-shot alarms that put a message on the queue. They may fire late, or twice."""

    def set(self, name: str, at: Moment, message: Message) -> None:
        """Set or move the alarm of this name."""
        ...

    def cancel(self, name: str) -> None:
        """Forget the alarm; absent is fine."""
        ...


# --- Provider -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class MachineOrder:
    """One machine to make. `label` marks it for ever: `bh-<env>-<sandbox>-a<attempt>-<machine>`.

    `peers` are (hostname, address) of every machine of the sandbox on its private network, this
    one included; empty for a sandbox of one machine. `user_data` is what a rented machine runs at
    its first boot, empty for a machine of our own host.
    """

    label: str
    sandbox: str
    spec: labs.MachineSpec
    egress: labs.EgressPolicy = "none"
    egress_allow: tuple[str, ...] = ()
    peers: tuple[tuple[str, str], ...] = ()
    deadline_at: Moment = 0
    user_data: str = ""


@dataclass(frozen=True, slots=True)
class MachineSeen:
    """A machine as its provider tells of it. `usable` means a terminal would open now.

    `disk`: how what is written in it is kept, and with it what stays of that; None: nobody knows.
    """

    label: str
    id: str
    usable: bool
    created_at: Moment
    address: str | None = None
    disk: str | None = None


RefusalKind = Literal["sold_out", "quota", "rate", "auth", "image", "setup", "host", "invalid"]


class CreateRefused(Exception):  # noqa: N818
    """The provider certainly made nothing (or removed it again). `reason` is for a student."""

    def __init__(
        self, kind: RefusalKind, reason: str, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class Unclear(Exception):  # noqa: N818
    """The provider's answer leaves open what happened: look it up, never repeat a create."""


class Provider(Protocol):
    """Whoever rents or runs machines. Only machines with our mark are ever seen or touched.

    `rented`: its machines run the order's user data, and only their own agent can say that one is
    ready; the provider never calls one `usable`.
    """

    name: str
    rented: bool

    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:
        """Millionths of the class currency for one hour of this machine; 0 for our own host."""
        ...

    def create(self, order: MachineOrder) -> MachineSeen:
        """Make one machine, once. Raises CreateRefused or Unclear."""
        ...

    def find(self, label: str) -> MachineSeen | None:
        """The machine of this label, if the provider knows one. Raises Unclear."""
        ...

    def delete(self, machine_id: str) -> None:
        """Ask for the end of a machine; absent is fine. Raises Unclear."""
        ...

    def inventory(self) -> list[MachineSeen]:
        """Every machine with our mark and environment. Raises Unclear."""
        ...

    def prepare(self, image: str, progress: Callable[[str, float | None], None]) -> None:
        """Make an image usable; quick when it already is. Progress: what, and 0..1 or None.

        Raises CreateRefused with kind "image".
        """
        ...


# --- The rest -----------------------------------------------------------------------------------
class Clock(Protocol):
    """What time it is."""

    def now(self) -> Moment:
        """Milliseconds since the epoch, UTC."""
        ...


class Chance(Protocol):
    """Where unguessable names come from."""

    def name(self, length: int) -> str:
        """Lower-case base32 letters and digits (a-z, 2-7)."""
        ...

    def pick(self, count: int) -> int:
        """A number from 0 to count - 1."""
        ...


class Secrets(Protocol):
    """Keys that never leave the control plane."""

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature (64 bytes) that agents verify."""
        ...

    def public_key(self) -> bytes:
        """The raw 32-byte key for `sign`."""
        ...

    def mac(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 under a key of this purpose: session cookies, one-time links."""
        ...


class Mail(Protocol):
    """Letters to people."""

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one plain text letter."""
        ...


MetricName = Literal[
    "plays",  # a new sandbox was asked for
    "warm_plays",  # of those, the ones that were claimed ready
    "ready_after",  # milliseconds from Play to ready, for each that came to be ready
    "failed_starts",  # came to nothing
    "lost_machines",  # the provider has one no more that we did not delete
    "strays",  # machines nobody asked for, found and deleted
    "suspects",  # machines nobody asked for, seen once
    "failed_checks",  # scripts of a lab could not be run because of a fault on our side
    "machine_alarms",  # a rented machine failed, fell silent, is suspect, or somebody passed for it
    "unreadable_inventories",  # a provider did not say what it has
]


class Metrics(Protocol):
    """What an operator watches. Telling never fails and never waits."""

    def count(self, name: MetricName, value: int = 1) -> None:
        """Something happened so often."""
        ...

    def took(self, name: MetricName, milliseconds: int) -> None:
        """Something took so long."""
        ...


@dataclass(frozen=True, slots=True)
class ScriptOutcome:
    """How a script in a machine ended. `output` is its standard output as text."""

    code: int
    output: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Glance:
    """What a trainer sees of a sandbox: its terminal's last line, why its machine is suspect."""

    input_at: Moment | None = None
    line: str = ""
    suspect: str | None = None


class Unreachable(Exception):  # noqa: N818 - a normal answer, named for what it is
    """The machine's agent cannot be reached now; the text is for a person."""


class Agents(Protocol):
    """The programs that serve terminals. Best effort: what it cannot do now, nobody waits for."""

    def run(self, label: str, script: str, *, seconds_max: float) -> ScriptOutcome:
        """Run a check or solve script as root on a machine (see `labs.SCRIPT_ARGV`); it blocks.

        Raises Unreachable.
        """
        ...

    def glance(self, sandbox: str) -> Glance:
        """What is to be seen of a sandbox now; at once, from what is known already."""
        ...

    def open_early(self, sandbox: str, machines: Mapping[str, str], lab: labs.Lab) -> None:
        """Start the lab's terminals, so that the first prompt is there before the student."""
        ...

    def close(self, sandbox: str, reason: str) -> None:
        """End every session of the sandbox, telling viewers why."""
        ...

    def last_input_at(self, sandbox: str) -> Moment | None:
        """When someone last typed, or None when nobody has."""
        ...
