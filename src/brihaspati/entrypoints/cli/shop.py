"""What the command line needs of the house; wiring builds it, so that the CLI knows no adapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from brihaspati.domain.labs import Lab
from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.cli.renter import Renter
from brihaspati.entrypoints.cli.simulator import Simulator
from brihaspati.ports import Queue

Progress = Callable[[str, float | None], None]


class Fact(Protocol):
    """One thing this host can do, or cannot. `verdict` is ok, warn or missing."""

    @property
    def name(self) -> str:
        """What it is about."""
        ...

    @property
    def verdict(self) -> str:
        """`ok`, `warn` or `missing`."""
        ...

    @property
    def text(self) -> str:
        """What was found."""
        ...

    @property
    def fix(self) -> str | None:
        """What to do about it."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """What `doctor` says: the facts, the provider that would be used, and how isolated labs are."""

    facts: tuple[Fact, ...]
    provider: str
    isolation: str


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers at `address`; `stop` ends one that is only ours."""

    address: str
    ours: bool


class Fault(Protocol):
    """Something wrong in a lab folder; as text it is `file:line: message fix`."""

    @property
    def file(self) -> str:
        """Where, as the reader was given the folder."""
        ...

    @property
    def line(self) -> int:
        """The line, from 1."""
        ...

    @property
    def message(self) -> str:
        """What it is."""
        ...

    @property
    def fix(self) -> str:
        """What to do about it."""
        ...


@dataclass(frozen=True, slots=True)
class Studio:
    """A server with an author's labs alone. `publish` offers a lab as it is now.

    Raises CannotRun.
    """

    address: str
    code: str
    engine: Engine
    publish: Callable[[Lab], None]


@dataclass(frozen=True, slots=True)
class StandInOptions:
    """How the stand-in for the clouds shall be. `machines`: none, light or cloud-init."""

    port: int
    speed: float
    seed: int
    machines: str


@dataclass(frozen=True, slots=True)
class StandIn:
    """Where the stand-in for the clouds answers, and with which token for each."""

    addresses: Mapping[str, str]
    tokens: Mapping[str, str]
    control: str


class Shop(Protocol):
    """The house, opened as far as a command needs it."""

    def engine(self) -> AbstractContextManager[Engine]:
        """The engine over the stored data, beside a running server or without one."""
        ...

    def queues(self) -> AbstractContextManager[Mapping[str, Queue]]:
        """The queues of work by name."""
        ...

    def serving(self, progress: Progress) -> AbstractContextManager[Serving]:
        """The running server, or one of our own for as long as the context lasts."""
        ...

    def elsewhere(self, folder: Path) -> Shop:
        """The same house over another data folder."""
        ...

    def studio(self, labs: Sequence[Lab], progress: Progress) -> AbstractContextManager[Studio]:
        """A server over an empty data folder with these labs alone; nothing of it stays."""
        ...

    def lab(self, folder: Path) -> tuple[Lab | None, Sequence[Fault]]:
        """The lab in a folder, or what is wrong with it."""
        ...

    def publish(self, labs: Sequence[Lab], progress: Progress) -> Sequence[str]:
        """Offer labs to new classes; the names of those that cannot run there, left out.

        Raises CannotRun.
        """
        ...

    def up(self, progress: Progress, ready: Callable[[str], None]) -> None:
        """Serve until told to end. Raises OSError, or what the adapters raise."""
        ...

    def report(self) -> Report:
        """What this host can do."""
        ...

    def before_deploy(self) -> Sequence[Fact]:
        """What a deployment of this stage finds in its account. Raises CannotRun."""
        ...

    def renter(self, cloud: str | None, env: str | None = None) -> Renter:
        """An account of a cloud (None: the usual one). Raises CannotRun."""
        ...

    def simulator(self) -> Simulator:
        """What lives worlds in which everything goes wrong."""
        ...

    def stand_in(self, wanted: StandInOptions) -> AbstractContextManager[StandIn]:
        """The stand-in for the clouds, serving as long as the context lasts.

        Raises CannotRun, or OSError where the port is taken.
        """
        ...

    def cookie(self, engine: Engine, user: str) -> str:
        """A session of this person, as a Cookie header."""
        ...


class CannotRun(Exception):  # noqa: N818 - said to a person, in one line
    """Why a command cannot do its work on this host, and what to do about it."""
