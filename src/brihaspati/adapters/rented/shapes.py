"""What clouds have in common, in the few fields we use. Sizes in MiB, money in micros of USD."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from brihaspati.domain import egress, pace

# unsent: it never left us; taken: the name is in use; busy: not while something else goes on there.
TroubleKind = Literal[
    "sold_out", "quota", "rate", "auth", "invalid", "gone", "taken", "busy", "unsent", "unclear"
]


class Trouble(Exception):  # noqa: N818 - what it is
    """A request that was not simply done. Only `unclear` leaves open whether it was."""

    def __init__(
        self, kind: TroubleKind, text: str, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as a cloud lists it. `status` is the cloud's own word."""

    label: str
    id: str
    status: str
    created_at: int
    address: str | None = None
    region: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """A kind of machine in a region."""

    name: str
    memory_mb: int
    cpus: int
    disk_mb: int
    micros_per_hour: int


@dataclass(frozen=True, slots=True)
class Image:
    """A snapshot of ours, or a system of the cloud's own. `id` is what a create takes."""

    id: str
    name: str
    ready: bool
    regions: frozenset[str]
    created_at: int
    size_mb: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A record of DNS. `host` is the whole name."""

    id: str
    host: str
    kind: str
    value: str


class Rows(Protocol):
    """The records of one zone of an account. Everything raises Trouble."""

    def of(self, host: str) -> list[Row]:
        """Those of a host."""
        ...

    def all(self) -> list[Row]:
        """Every one."""
        ...

    def create(self, host: str, kind: str, value: str) -> None:
        """One POST; the record may be cached for as short as the cloud lets it."""
        ...

    def delete(self, row: Row) -> None:
        """Absent is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Region:
    """A place where machines can be rented; `fit` tells that it has what we need."""

    name: str
    title: str
    fit: bool


@dataclass(frozen=True, slots=True)
class Account:
    """Whose machines these are. None: the cloud does not tell by its API."""

    machines_max: int | None
    status: str


@dataclass(frozen=True, slots=True)
class Wish:
    """One machine to make. `walls` is what `Cloud.walls` answered."""

    label: str
    region: str
    size: str
    image: str
    tags: tuple[str, ...]
    walls: str
    user_data: str = ""


class Cloud(Protocol):
    """One API. Every method asks at most a few times and raises Trouble."""

    name: str

    def hurried(self) -> bool:
        """Whether so much is asked now that lists must be shared."""
        ...

    def windows(self, *, alone: bool) -> tuple[pace.Window, ...]:
        """How many creates it takes; `alone`: lists and deletes come by another token."""
        ...

    def create(self, wish: Wish) -> Machine:
        """Make a machine: one POST."""
        ...

    def machines(self, tag: str) -> list[Machine]:
        """Every machine with a tag, all pages."""
        ...

    def machine(self, machine_id: str) -> Machine | None:
        """One machine; None when the cloud says that there is none."""
        ...

    def delete(self, machine_id: str) -> bool:
        """Ask for its end; False when there was none."""
        ...

    def records(self, zone: str) -> Rows:
        """The records of a zone of the account."""
        ...

    def walls(self, name: str, tag: str, rules: egress.Rules) -> str:
        """A firewall with these rules, made if there is none; what a `Wish` needs to name it."""
        ...

    def sizes(self, region: str) -> list[Size]:
        """What can be rented in a region now."""
        ...

    def regions(self) -> list[Region]:
        """Where machines can be rented."""
        ...

    def system(self, image: str) -> Image | None:
        """A system of the cloud's own, by its name."""
        ...

    def images(self) -> list[Image]:
        """Our snapshots."""
        ...

    def account(self) -> Account:
        """What we may have."""
        ...

    def power_off(self, machine_id: str) -> None:
        """Shut a machine down, so that its disk is at rest."""
        ...

    def snapshot(self, machine_id: str, name: str) -> None:
        """Begin a snapshot of a machine that is off."""
        ...

    def transfer(self, image: Image, regions: Sequence[str]) -> None:
        """Begin copying a snapshot to more regions."""
        ...

    def delete_image(self, image_id: str) -> None:
        """End a snapshot; absent is fine."""
        ...


def text(found: Any, default: str = "") -> str:
    """A text of an answer, or the default where there is something else."""
    return found if isinstance(found, str) else default


def number(found: Any) -> int:
    """A whole number of an answer; 0 where there is none."""
    return int(found) if isinstance(found, int | float) and not isinstance(found, bool) else 0


def rows(found: Any, name: str) -> list[dict[str, Any]]:
    """The objects of a list in an answer. Raises Trouble (unclear) where there is no such list."""
    listed = found.get(name) if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise Trouble("unclear", f"the answer has no list of {name}")
    return [one for one in listed if isinstance(one, dict)]


def moment(stamp: str) -> int:
    """Milliseconds of an ISO 8601 time; one without a zone is UTC. 0 for no time at all."""
    try:
        parsed = dt.datetime.fromisoformat(stamp)
    except ValueError:
        return 0
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=dt.UTC)
    return int(parsed.timestamp() * 1000)
