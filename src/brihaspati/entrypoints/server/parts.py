"""What a local server is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from brihaspati.engine.engine import Engine
from brihaspati.entrypoints.http.addresses import Relay
from brihaspati.entrypoints.http.routes import Archive
from brihaspati.entrypoints.server import relaying
from brihaspati.entrypoints.server.agents import HubAgents
from brihaspati.entrypoints.server.loops import LocalQueue, LocalTimer, nothing_lost
from brihaspati.entrypoints.server.waiting import Bell
from brihaspati_agent.places import Places


@dataclass(frozen=True, slots=True)
class Parts:
    """What a server is made of; wiring puts it together.

    `archive` is what rented machines run, `issuer` who certifies them; None without such machines.

    `names`: the zone in which rented machines have names; "" for none.

    `way` leads to rented machines, and `relay` says which browsers are brought there through us.

    `has_lost_labs`: whether all labs have just ended with whoever kept them; said once.

    `papers` are JSON documents for anybody, by path, beside the web app's files.
    """

    engine: Engine
    queue: LocalQueue
    timer: LocalTimer
    tidy: Callable[[], object]
    agents: HubAgents
    bell: Bell
    places: Places
    web: Path
    data: Path
    host: str
    port: int
    origins: tuple[str, ...]
    lab_domain: str
    secure: bool
    code: str
    papers: Mapping[str, str]
    archive: Archive | None = None
    issuer: str | None = None
    has_lost_labs: Callable[[], bool] = nothing_lost
    way: relaying.Way | None = None
    relay: Relay = "never"
    names: str = ""
