"""The world as the engine knows it: one port each, and this deployment's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from brihaspati import ports
from brihaspati.domain import effects
from brihaspati.domain.abuse import USUAL, Limits
from brihaspati.domain.boot import Boot
from brihaspati.domain.labs import Lab
from brihaspati.domain.looks import NEARBY, Looks
from brihaspati.domain.pace import UNHURRIED, Pace
from brihaspati.domain.sandboxes import Sandbox
from brihaspati.ports import names

if TYPE_CHECKING:  # only trainers' functions look ahead
    from brihaspati.domain.preflight import Standing

    Standings = Mapping[str, Callable[[Lab], Standing]]

Paces = Mapping[str, Callable[[], Pace]]
Together = Callable[[Sequence[Callable[[], Any]]], list[Any]]


def one_by_one(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the calls in order. A server passes a version that runs them side by side."""
    return [call() for call in calls]


def at_once(call: Callable[[], None]) -> None:
    """Do it now. A server passes a version that does it in the background."""
    call()


def nobody_waits(sandbox: Sandbox) -> None:
    """Hear of a changed sandbox, and do nothing."""


def nobody_looks(sandbox: str, busy: bool) -> None:  # noqa: FBT001 - passed on as it is
    """Hear of a run of checks, and do nothing."""


class Unwatched:
    """Metrics that nobody reads."""

    def count(self, name: ports.MetricName, value: int = 1) -> None:
        """Hear of it."""

    def took(self, name: ports.MetricName, milliseconds: int) -> None:
        """Hear of it."""


def nobody_is_believed(key: bytes, signature: bytes, message: bytes) -> bool:  # noqa: ARG001
    """Where no machines are rented, none has anything to say."""
    return False


@dataclass(frozen=True, slots=True)
class Naming:
    """What names of rented machines are made with. `stock`: how many shall be ready."""

    zone: names.Zone
    certifier: names.Certifier
    vault: names.Vault
    stock: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """This deployment's limits; times say their unit. `abuse`: when a machine is suspect."""

    start_seconds_max: int = 180
    lookup_grace_ms: int = 5_000
    attempts_max: int = 3
    session_seconds: int = 12 * 3600
    link_seconds: int = 15 * 60
    beat_seconds: int = 30
    abuse: Limits = USUAL


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside the engine. `env` marks our machines.

    The first of `providers` runs the labs of new classes, which keep `pool` warm sandboxes for each
    lab. `currency` is what prices and budgets count.

    `boot` is what rented machines are told at their first boot; without it none can be rented.

    `looks` says how often pages look at their labs.

    `verify` tells whether a machine's public key made this signature of this message (Ed25519).

    `naming`: what rented machines get their names by; without it they have addresses only.

    `duties` are what this process may do about machines; what it may not, it leaves to others, by
    the queue. Without any it performs nothing at all: it only decides and saves.

    `paces` says how to treat providers that may not be asked at any time; `standings` asks those
    that rent machines what they have for a lab.

    `soon` does what is written down elsewhere too, and so may be lost when the process dies.
    `aside` is for what may take a minute, the scripts of a lab: many of them hold up nothing else.
    Who `runs_scripts` does not have a message to those who do, by the queue.
    `changed` hears of each sandbox after it was saved, in the thread that did; it must not wait.
    `checking` likewise of each run of scripts in a sandbox: True when it begins, False at its end.
    """

    env: str
    store: ports.Store
    queue: ports.Queue
    timer: ports.Timer
    providers: Mapping[str, ports.Provider]
    agents: ports.Agents
    clock: ports.Clock
    chance: ports.Chance
    secrets: ports.Secrets
    bounds: Bounds = field(default_factory=Bounds)
    together: Together = one_by_one
    due_shards: int = 1
    soon: Callable[[Callable[[], None]], None] = at_once
    aside: Callable[[Callable[[], None]], None] = at_once
    runs_scripts: bool = True
    changed: Callable[[Sandbox], None] = nobody_waits
    checking: Callable[[str, bool], None] = nobody_looks
    duties: frozenset[effects.Duty] = effects.DUTIES
    metrics: ports.Metrics = field(default_factory=Unwatched)
    pool: int = 0
    currency: str = "USD"
    paces: Paces = field(default_factory=dict)
    standings: Standings = field(default_factory=dict)
    boot: Boot | None = None
    looks: Looks = NEARBY
    verify: Callable[[bytes, bytes, bytes], bool] = nobody_is_believed
    naming: Naming | None = None

    def pace(self, provider: str) -> Pace:
        """How to treat a provider now."""
        known = self.paces.get(provider)
        return known() if known is not None else UNHURRIED

    def may(self, effect: effects.Effect) -> bool:
        """Whether this process may perform an effect."""
        whose = effects.duty(effect)
        return bool(self.duties) if whose is None else whose in self.duties

    @property
    def is_split(self) -> bool:
        """Whether there are others, with other duties."""
        return self.duties != effects.DUTIES

    @property
    def ends(self) -> bool:
        """Whether what anybody may do goes from here to those who end things."""
        return "start" not in self.duties
