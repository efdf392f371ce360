"""One provider's account: what it holds, what it allows, and what it is asked."""

from __future__ import annotations

import datetime as dt
import functools
import importlib.resources
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from brihaspati_cloudsim.agenda import SECOND, Agenda, Now
from brihaspati_cloudsim.contracts import Operation
from brihaspati_cloudsim.exchange import Json, Request
from brihaspati_cloudsim.faults import Fault, Faults
from brihaspati_cloudsim.rates import Rates
from brihaspati_cloudsim.servers import Server


class Bodies(Protocol):
    """What runs a server for real. Calls return at once."""

    def boot(self, server: Server) -> None:
        """Run it, with its user data; again after a reboot."""
        ...

    def halt(self, server: Server) -> None:
        """Its processes end; its disk stays."""
        ...

    def destroy(self, server: Server) -> None:
        """Nothing is left of it."""
        ...

    def cut(self, server: Server) -> None:
        """It loses its network for good."""
        ...

    def snapshot(self, server: Server, image: str) -> None:
        """Keep its disk as an image."""
        ...


class NoBodies:
    """Servers that exist on paper only."""

    def boot(self, server: Server) -> None:
        """Nothing."""

    def halt(self, server: Server) -> None:
        """Nothing."""

    def destroy(self, server: Server) -> None:
        """Nothing."""

    def cut(self, server: Server) -> None:
        """Nothing."""

    def snapshot(self, server: Server, image: str) -> None:
        """Nothing."""


@dataclass(slots=True)
class Token:
    """`scopes` None: everything. Names are for the ledger; the secret is the key it is kept by."""

    name: str
    rates: Rates
    scopes: frozenset[str] | None = None
    revoked: bool = False

    def allows(self, scope: str) -> bool:
        """Whether it may do what needs `scope`; Linode's read_write holds read_only."""
        if self.scopes is None or scope in self.scopes:
            return True
        return scope.replace(":read_only", ":read_write") in self.scopes


@dataclass(frozen=True, slots=True)
class Lags:
    """How slow the provider is, in seconds from and to, drawn evenly."""

    listed: tuple[float, float] = (0, 2)
    active: tuple[float, float] = (15, 45)
    boots: tuple[float, float] = (2, 8)
    deleted: tuple[float, float] = (1, 5)
    action: tuple[float, float] = (5, 20)
    snapshot: tuple[float, float] = (50, 140)

    @classmethod
    def none(cls) -> Lags:
        """Everything at once, for tests that are about something else."""
        return cls(*(((0, 0),) * 6))


@dataclass(frozen=True, slots=True)
class Call:
    """One request, understood."""

    request: Request
    operation: Operation
    path: dict[str, str]
    body: Json
    token: Token

    @property
    def query(self) -> dict[str, str]:
        """Parameters after the question mark."""
        return dict(self.request.query)


@dataclass
class Account:
    """Everything one account holds. `mails`: root passwords that were sent to its owner."""

    provider: str
    now: Now
    dice: random.Random
    agenda: Agenda
    faults: Faults
    bodies: Bodies
    lags: Lags
    network: str
    servers: dict[int, Server] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    firewalls: dict[str, Json] = field(default_factory=dict)
    images: dict[str, Json] = field(default_factory=dict)
    domains: dict[str, Json] = field(default_factory=dict)
    records: dict[str, dict[int, Json]] = field(default_factory=dict)
    keys: dict[int, Json] = field(default_factory=dict)
    tags: dict[str, None] = field(default_factory=dict)
    actions: dict[int, Json] = field(default_factory=dict)
    server_limit: int = 500
    sold_out: set[tuple[str, str]] = field(default_factory=set)
    mails: int = 0

    def __post_init__(self) -> None:
        self._ids = itertools.count(self.dice.randrange(300_000_000, 500_000_000))
        self._addresses = self._all_addresses()

    def next_id(self) -> int:
        """A number nobody had."""
        return next(self._ids)

    def drawn_ms(self, span: tuple[float, float]) -> int:
        """A duration out of a range of seconds."""
        return round(self.dice.uniform(*span) * SECOND)

    def there(self) -> list[Server]:
        """Servers a look-up finds now."""
        now = self.now()
        return [server for server in self.servers.values() if server.is_there(now)]

    def billed(self) -> list[Server]:
        """Servers that cost money now."""
        now = self.now()
        return [server for server in self.servers.values() if server.is_billed(now)]

    def strikes(self, kind: str, call: Call, name: str = "") -> Fault | None:
        """The fault of this kind that strikes this call, if one does."""
        return self.faults.strikes(kind, self.provider, call.operation.id, name)

    def free_address(self) -> str:
        """An address of ours that no server has."""
        taken = {server.address for server in self.billed()}
        return next(address for address in self._addresses if address not in taken)

    def _all_addresses(self) -> Iterator[str]:
        for high, low in itertools.cycle(itertools.product(range(256), range(1, 255))):
            yield f"{self.network}.{high}.{low}"

    # --- a server's life -------------------------------------------------------------------------
    def bear(self, server: Server, call: Call | None = None) -> None:
        """A server is there from now on, with whatever fate the faults give it."""
        self.servers[server.id] = server
        boots_ms = self.drawn_ms(self.lags.boots)
        fate = functools.partial(self._fate, server, call)
        if late := fate("active_late"):
            server.active_at += _ms(late)
        if late := fate("listed_late"):
            server.listed_at = server.created_at + _ms(late)
        server.busy_until = server.active_at
        never = fate("boots_never") is not None
        if server.booted and not never:
            server.boots_at = server.active_at + boots_ms
            self.agenda.at(server.boots_at, lambda: self._boot(server))
            for kind, act in (("dies", self.bodies.halt), ("loses_network", self._cut)):
                if found := fate(kind):
                    self.agenda.at(server.boots_at + _ms(found), functools.partial(act, server))
        if found := fate("vanish"):
            self.agenda.at(server.created_at + _ms(found), lambda: self._vanish(server))

    def _fate(self, server: Server, call: Call | None, kind: str) -> Fault | None:
        return None if call is None else self.strikes(kind, call, server.name)

    def _boot(self, server: Server) -> None:
        if server.is_billed(self.now()) and server.powered:
            self.bodies.boot(server)

    def _cut(self, server: Server) -> None:
        server.networked = False
        self.bodies.cut(server)

    def _vanish(self, server: Server) -> None:
        server.vanished = True
        self.end(server)

    def delete(self, server: Server, call: Call | None = None) -> None:
        """The provider is told to delete it; when it is gone depends on its lags and faults."""
        now = self.now()
        if self._fate(server, call, "delete_ignored"):
            return
        if found := self._fate(server, call, "zombie"):
            server.hidden_until = now + _ms(found)
            return
        found = self._fate(server, call, "delete_late")
        server.deleting_since_at = now
        takes_ms = _ms(found) if found else self.drawn_ms(self.lags.deleted)
        self.agenda.at(now + takes_ms, lambda: self.end(server, now + takes_ms))

    def end(self, server: Server, at: int | None = None) -> None:
        """It is gone since `at` (None: now), and costs nothing from then on."""
        if server.gone_at is None:
            server.gone_at = self.now() if at is None else at
            for firewall in self.firewalls.values():
                if server.id in firewall["servers"]:
                    firewall["servers"].remove(server.id)
            self.bodies.destroy(server)

    def power(self, server: Server, *, on: bool, again: bool = False) -> None:
        """Start or stop its processes; `again`: both."""
        server.powered = on
        if not on or again:
            self.bodies.halt(server)
        if on:
            server.boots_at = server.busy_until + self.drawn_ms(self.lags.boots)
            self.agenda.at(server.boots_at, lambda: self._boot(server))


def _ms(fault: Fault) -> int:
    return round((fault.seconds or 0) * SECOND)


Handler = Callable[[Account, Call], Any]


@functools.cache
def catalogue(provider: str) -> Json:
    """Regions, sizes and public images with their prices."""
    where = importlib.resources.files("brihaspati_cloudsim") / "data/catalogue.json"
    found: Json = json.loads(where.read_text(encoding="utf-8"))[provider]
    return found


def iso(moment_at: int) -> str:
    """A moment as both providers write it, without the zone."""
    when = dt.datetime.fromtimestamp(moment_at // SECOND, tz=dt.UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S")
