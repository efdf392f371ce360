"""The stand-in of both clouds within this process, on a clock that a test moves; no socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from brihaspati.adapters import memory
from brihaspati.adapters.rented import nobody, rental
from brihaspati.adapters.rented.digitalocean import api as digitalocean
from brihaspati.adapters.rented.linode import api as linode
from brihaspati_cloudsim import world as cloudsim
from brihaspati_cloudsim.account import Lags
from brihaspati_cloudsim.digitalocean import others
from brihaspati_cloudsim.exchange import Request

ENV = "test"
CLOUDS = ("digitalocean", "linode")
IMAGES = {"digitalocean": "debian-12-x64", "linode": "linode/debian12"}
REGIONS = {"digitalocean": "fra1", "linode": "de-fra-2"}


class Wire(httpx.BaseTransport):
    """Hands requests to the stand-in; what takes longer than the caller waits is a timeout."""

    def __init__(self, world: cloudsim.World) -> None:
        self.world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        path = request.url.raw_path.decode().partition("?")[0]
        answer = self.world.handle(
            Request(
                request.method,
                path,
                dict(request.url.params),
                {name.lower(): text for name, text in request.headers.items()},
                request.content,
            )
        )
        if answer.delay_seconds > request.extensions["timeout"]["read"]:
            raise httpx.ReadTimeout("no answer in time", request=request)
        if answer.cut:
            raise httpx.RemoteProtocolError("the server disconnected", request=request)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.content())


def create_zone(world: cloudsim.World, cloud: str, zone: str) -> None:
    """The account of a cloud has a zone of DNS from now on."""
    account = world.accounts[cloud]
    number = zone if cloud == "digitalocean" else "77"
    shown = {"id": 77, "domain": zone, "type": "master", "status": "active"}
    shown |= {"tags": [], "group": "", "description": "", "soa_email": f"dns@{zone}"}
    account.domains[number] = {"name": zone} if cloud == "digitalocean" else {"shown": shown}
    account.records[number] = {}


def says(world: cloudsim.World, cloud: str, zone: str, name: str) -> list[tuple[str, str]]:
    """Kind and value of each record of a name, as the cloud's own servers would say."""
    number = zone if cloud == "digitalocean" else "77"
    value = "data" if cloud == "digitalocean" else "target"
    rows = [*world.accounts[cloud].records[number].values()]
    return [(row["type"], row[value]) for row in rows if f"{row['name']}.{zone}" == name]


@dataclass
class Sky:
    """Both clouds, and providers over them. `clock` is everybody's."""

    lags: Lags = field(default_factory=Lags.none)
    clock: memory.ManualClock = field(default_factory=memory.ManualClock)

    def __post_init__(self) -> None:
        self.world = cloudsim.World(now=self.clock.now, lags=self.lags)
        self.tokens = self.world.add_usual_tokens()
        self.wire = Wire(self.world)
        others.add_key(self.world.accounts["digitalocean"], "nobody", nobody.PUBLIC_KEY)

    def seconds(self) -> float:
        """The clock as adapters read it."""
        return self.clock.now() / 1000

    def cloud(
        self, name: str, token: str | None = None
    ) -> digitalocean.DigitalOcean | linode.Linode:
        """A client of one cloud."""
        token = token or self.tokens[name]
        if name == "linode":
            url = "http://cloud/v4"
            return linode.Linode(linode.Options(token, url, self.wire, self.seconds))
        url = "http://cloud"
        return digitalocean.DigitalOcean(
            digitalocean.Options(token, url, "", self.wire, self.seconds)
        )

    def provider(self, name: str, env: str = ENV, **options: Any) -> rental.Rental:
        """A provider of one cloud."""
        cloud = self.cloud(name)
        given = {"region": REGIONS[name], "image": IMAGES[name], "now": self.seconds, **options}
        return rental.Rental(cloud, cloud, rental.Options(env=env, **given))

    def zone(self, name: str, zone: str) -> None:
        """The account of this cloud has a zone from now on."""
        create_zone(self.world, name, zone)

    def fault(self, kind: str, **given: Any) -> None:
        """Have something go wrong."""
        self.world.faults.add(kind, **given)
