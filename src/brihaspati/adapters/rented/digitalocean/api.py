"""DigitalOcean's API v2 in some fifteen operations.

Source: https://docs.digitalocean.com/reference/api/
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from brihaspati.adapters.rented import nobody, shapes
from brihaspati.adapters.rented.calling import Api, Caller, Urgency, seconds_of
from brihaspati.adapters.rented.digitalocean.rows import Rows
from brihaspati.adapters.rented.governor import Governor
from brihaspati.adapters.rented.shapes import Trouble, moment, number, rows, text
from brihaspati.domain import egress, pace

NAME = "digitalocean"
URL = "https://api.digitalocean.com"
REQUESTS_PER_MINUTE = 250
# Of the 5,000 an hour has, what is left for deletes once the rest is used up.
KEPT_FOR_DELETES = 1_000
PAGE = 200
PAGES_MAX = 100


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach an account. `ssh_key`: id or fingerprint of a key in it; "" for nobody's."""

    token: str
    url: str = URL
    ssh_key: str = ""
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.monotonic


class DigitalOcean:
    """`shapes.Cloud` for droplets."""

    name = NAME

    def __init__(self, options: Options) -> None:
        self.governor = Governor(REQUESTS_PER_MINUTE, 60, options.now)
        urgencies: tuple[Urgency, ...] = ("create", "list", "look", "delete")
        governors = dict.fromkeys(urgencies, self.governor)
        self._caller = Caller(
            Api(options.url, options.token, governors, _trouble, self._heard, options.transport)
        )
        self._ssh_key = options.ssh_key
        self._walls: dict[str, str] = {}
        self._once = threading.Lock()

    def close(self) -> None:
        """Let the connections go."""
        self._caller.close()

    def hurried(self) -> bool:
        """Whether so much is asked now that lists must be shared."""
        return self.governor.used() > 0.3

    def windows(self, *, alone: bool) -> tuple[pace.Window, ...]:
        """The limits of a token, less what lists and deletes need of them."""
        minute, hour = (240, 4_800) if alone else (200, 4_000)
        return (pace.Window(minute, 60), pace.Window(hour, 3600))

    # --- machines --------------------------------------------------------------------------------
    def create(self, wish: shapes.Wish) -> shapes.Machine:
        """Make a droplet. A key keeps the cloud from mailing a password for each."""
        body = {
            "name": wish.label,
            "region": wish.region,
            "size": wish.size,
            "image": int(wish.image) if wish.image.isdigit() else wish.image,
            "ssh_keys": [self._key()],
            "backups": False,
            "ipv6": True,
            "monitoring": False,
            "with_droplet_agent": False,
            "tags": [*wish.tags, wish.walls],
            "user_data": wish.user_data,
        }
        answer = self._caller.ask("POST", "/v2/droplets", "create", body=body)
        made = _machine(answer.body.get("droplet") if isinstance(answer.body, dict) else None)
        if made is None:
            raise Trouble("unclear", "the answer to a create has no droplet")
        return made

    def machines(self, tag: str) -> list[shapes.Machine]:
        """Every droplet with a tag."""
        found = self._pages("/v2/droplets", "droplets", "list", {"tag_name": tag})
        return [machine for one in found if (machine := _machine(one)) is not None]

    def machine(self, machine_id: str) -> shapes.Machine | None:
        """One droplet."""
        try:
            answer = self._caller.ask("GET", f"/v2/droplets/{_id(machine_id)}", "look")
        except Trouble as trouble:
            if trouble.kind == "gone":
                return None
            raise
        found = _machine(answer.body.get("droplet") if isinstance(answer.body, dict) else None)
        if found is None:
            raise Trouble("unclear", "the answer has no droplet")
        return found

    def delete(self, machine_id: str) -> bool:
        """Ask for the end of a droplet."""
        return self._caller.delete(f"/v2/droplets/{_id(machine_id)}", "delete")

    # --- walls and keys --------------------------------------------------------------------------
    def walls(self, name: str, tag: str, rules: egress.Rules) -> str:
        """A firewall by tag: a droplet that has the tag is behind it from its birth."""
        del tag  # our droplets have more than one firewall's tag in common
        with self._once:
            if name in self._walls:
                return self._walls[name]
            found = self._pages("/v2/firewalls", "firewalls", "look", {})
            if not any(one.get("name") == name for one in found):
                self._make_walls(name, rules)
            self._walls[name] = name
        return name

    def _make_walls(self, name: str, rules: egress.Rules) -> None:
        # The tag must be there before a firewall can name it; one that is there is fine.
        self._caller.ask("POST", "/v2/tags", "look", body={"name": name})
        body = {
            "name": name,
            "inbound_rules": [_hole(hole, "sources") for hole in rules.inbound],
            "outbound_rules": [_hole(hole, "destinations") for hole in rules.outbound],
            "tags": [name],
        }
        self._caller.ask("POST", "/v2/firewalls", "look", body=body)

    def _key(self) -> str | int:
        with self._once:
            if not self._ssh_key:
                self._ssh_key = self._nobodys_key()
        return int(self._ssh_key) if self._ssh_key.isdigit() else self._ssh_key

    def _nobodys_key(self) -> str:
        for one in self._pages("/v2/account/keys", "ssh_keys", "look", {}):
            if text(one.get("public_key")).split()[:2] == nobody.PUBLIC_KEY.split():
                return str(number(one.get("id")))
        body = {"name": "brihaspati-nobody", "public_key": nobody.PUBLIC_KEY}
        answer = self._caller.ask("POST", "/v2/account/keys", "look", body=body)
        made = answer.body.get("ssh_key") if isinstance(answer.body, dict) else None
        if not isinstance(made, dict) or not number(made.get("id")):
            raise Trouble("auth", "no SSH key could be added to the account")
        return str(number(made.get("id")))

    # --- what there is to rent -------------------------------------------------------------------
    def sizes(self, region: str) -> list[shapes.Size]:
        """Droplet sizes without a graphics card, available in a region."""
        found = self._pages("/v2/sizes", "sizes", "look", {})
        return [
            shapes.Size(
                name=text(one.get("slug")),
                memory_mb=number(one.get("memory")),
                cpus=number(one.get("vcpus")),
                disk_mb=number(one.get("disk")) * 1024,
                micros_per_hour=int(Decimal(str(one.get("price_hourly", 0))) * 1_000_000),
            )
            for one in found
            if one.get("available", True) and region in one.get("regions", ())
            if not text(one.get("slug")).startswith("gpu")
        ]

    def regions(self) -> list[shapes.Region]:
        """Regions, with whether they take new droplets."""
        return [
            shapes.Region(text(one.get("slug")), text(one.get("name")), bool(one.get("available")))
            for one in self._pages("/v2/regions", "regions", "look", {})
        ]

    def system(self, image: str) -> shapes.Image | None:
        """A public image by its slug."""
        try:
            answer = self._caller.ask("GET", f"/v2/images/{image}", "look")
        except Trouble as trouble:
            if trouble.kind == "gone":
                return None
            raise
        found = answer.body.get("image") if isinstance(answer.body, dict) else None
        return _image(found, slug=True) if isinstance(found, dict) else None

    def images(self) -> list[shapes.Image]:
        """Private snapshots."""
        found = self._pages("/v2/images", "images", "look", {"private": "true"})
        return [_image(one) for one in found]

    def account(self) -> shapes.Account:
        """The account's droplet limit."""
        answer = self._caller.ask("GET", "/v2/account", "look")
        found = answer.body.get("account") if isinstance(answer.body, dict) else None
        if not isinstance(found, dict):
            raise Trouble("unclear", "the answer has no account")
        return shapes.Account(number(found.get("droplet_limit")) or None, text(found.get("status")))

    # --- snapshots -------------------------------------------------------------------------------
    def power_off(self, machine_id: str) -> None:
        """Ask a droplet to shut down."""
        self._act(f"/v2/droplets/{_id(machine_id)}/actions", {"type": "power_off"})

    def snapshot(self, machine_id: str, name: str) -> None:
        """Begin a snapshot of a droplet that is off."""
        path = f"/v2/droplets/{_id(machine_id)}/actions"
        self._act(path, {"type": "snapshot", "name": name})

    def transfer(self, image: shapes.Image, regions: Sequence[str]) -> None:
        """Begin copying a snapshot, to one region after another."""
        for region in sorted(set(regions) - image.regions):
            path = f"/v2/images/{_id(image.id)}/actions"
            self._act(path, {"type": "transfer", "region": region})

    def delete_image(self, image_id: str) -> None:
        """End a snapshot."""
        self._caller.delete(f"/v2/images/{_id(image_id)}", "look")

    # --- how it is asked -------------------------------------------------------------------------
    def _act(self, path: str, body: Mapping[str, str]) -> None:
        self._caller.ask("POST", path, "look", body=body)

    def records(self, zone: str) -> Rows:
        """The names of a zone."""
        return Rows(zone, self._caller, self._pages)

    def _pages(
        self, path: str, name: str, urgency: Urgency, params: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        """All pages of a list; an incomplete one is none. Raises Trouble."""
        found: list[dict[str, Any]] = []
        for page in range(1, PAGES_MAX + 1):
            asked: dict[str, str | int] = {**params, "per_page": PAGE, "page": page}
            answer = self._caller.ask("GET", path, urgency, params=asked)
            found += rows(answer.body, name)
            links = answer.body.get("links") or {}
            if not (links.get("pages") or {}).get("next"):
                return found
        raise Trouble("unclear", f"{path} has no last page")

    def _heard(self, urgency: Urgency, headers: Mapping[str, str]) -> None:
        del urgency  # one limit for all
        remaining, reset = headers.get("ratelimit-remaining"), headers.get("ratelimit-reset")
        limit = headers.get("ratelimit-limit", "")
        if not (remaining and reset and remaining.isdigit() and limit.isdigit()):
            return
        # The header tells of the hour; its reset is when the oldest request of it is forgotten.
        if int(limit) > KEPT_FOR_DELETES * 2 and int(remaining) < KEPT_FOR_DELETES:
            self.governor.keep_for_deletes(seconds_of(headers.get("retry-after"), 10))


def _id(given: str) -> str:
    """A droplet's number. Raises Trouble for what cannot be one: it is certainly not there."""
    if not given.isdigit():
        raise Trouble("gone", f"{given!r} is no id here")
    return given


def _machine(found: Any) -> shapes.Machine | None:
    if not isinstance(found, dict) or not number(found.get("id")):
        return None
    networks = found.get("networks")
    fours = networks.get("v4") if isinstance(networks, dict) else None
    public = [n.get("ip_address") for n in fours or () if n.get("type") == "public"]
    return shapes.Machine(
        label=text(found.get("name")),
        id=str(found["id"]),
        status=text(found.get("status")),
        created_at=moment(text(found.get("created_at"))),
        address=text(public[0]) or None if public else None,
        region=text((found.get("region") or {}).get("slug")),
    )


def _image(found: Mapping[str, Any], *, slug: bool = False) -> shapes.Image:
    name = text(found.get("slug")) or str(number(found.get("id")))
    return shapes.Image(
        id=name if slug else str(number(found.get("id"))),
        name=text(found.get("name")),
        ready=text(found.get("status"), "available") == "available",
        regions=frozenset(map(str, found.get("regions") or ())),
        created_at=moment(text(found.get("created_at"))),
        size_mb=int(float(found.get("size_gigabytes") or 0) * 1024),
    )


def _hole(hole: egress.Hole, side: str) -> dict[str, Any]:
    return {
        "protocol": hole.protocol,
        "ports": hole.ports,
        side: {"addresses": list(hole.networks)},
    }


def _trouble(status: int, body: Any) -> Trouble:
    """What an error means: a status, an id, and words that have not changed in ten years."""
    said = text(body.get("message")) if isinstance(body, dict) else ""
    words = said.lower()
    if status in (401, 403):
        return Trouble("auth", said or "the token is refused")
    if status == 404:
        return Trouble("gone", said or "not found")
    if "droplet limit" in words or "exceed your" in words:
        return Trouble("quota", said)
    if "not available" in words and ("region" in words or "size" in words):
        return Trouble("sold_out", said)
    if status == 422 and ("pending event" in words or "locked" in words):
        return Trouble("busy", said)
    return Trouble("invalid", said or f"status {status}")
