"""Linode's API v4 in some fifteen operations.

Source: https://techdocs.akamai.com/linode-api/
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from brihaspati.adapters.rented import nobody, shapes
from brihaspati.adapters.rented.calling import Api, Caller, Urgency
from brihaspati.adapters.rented.governor import Governor
from brihaspati.adapters.rented.linode.rows import Rows
from brihaspati.adapters.rented.shapes import Trouble, moment, number, rows, text
from brihaspati.domain import egress, pace

NAME = "linode"
URL = "https://api.linode.com/v4"
# As documented; what the headers say of creates counts more, accounts differ.
CREATES, CREATE_SECONDS = 20, 15
LISTS_PER_MINUTE = 200
REQUESTS_PER_MINUTE = 1_600
PAGE = 500
PAGES_MAX = 100


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach an account."""

    token: str
    url: str = URL
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.monotonic


class Linode:
    """`shapes.Cloud` for instances. A label is unique in an account: a create cannot double."""

    name = NAME

    def __init__(self, options: Options) -> None:
        now = options.now
        self.creating = Governor(CREATES, CREATE_SECONDS, now)
        self._listing = Governor(LISTS_PER_MINUTE, 60, now)
        others = Governor(REQUESTS_PER_MINUTE, 60, now)
        governors: dict[Urgency, Governor] = {
            "create": self.creating,
            "list": self._listing,
            "look": others,
            "delete": others,
        }
        self._caller = Caller(
            Api(options.url, options.token, governors, _trouble, self._heard, options.transport)
        )
        self._walls: dict[str, str] = {}
        self._once = threading.Lock()

    def close(self) -> None:
        """Let the connections go."""
        self._caller.close()

    def hurried(self) -> bool:
        """Whether so much is asked now that lists must be shared."""
        return self._listing.used() > 0.3

    def windows(self, *, alone: bool) -> tuple[pace.Window, ...]:
        """The limit of creates, as the last answer told it; nothing else is counted with them."""
        del alone
        return (pace.Window(self.creating.count, CREATE_SECONDS),)

    # --- machines --------------------------------------------------------------------------------
    def create(self, wish: shapes.Wish) -> shapes.Machine:
        """Make an instance behind its firewall. The password is nobody's, like the key."""
        body: dict[str, Any] = {
            "label": wish.label,
            "region": wish.region,
            "type": wish.size,
            "image": wish.image,
            "root_pass": secrets.token_urlsafe(48),
            "authorized_keys": [nobody.PUBLIC_KEY],
            "tags": list(wish.tags),
            "booted": True,
            "backups_enabled": False,
            "firewall_id": int(wish.walls),
        }
        if wish.user_data:
            data = base64.b64encode(wish.user_data.encode()).decode()
            body["metadata"] = {"user_data": data}
        answer = self._caller.ask("POST", "/linode/instances", "create", body=body)
        made = _machine(answer.body)
        if made is None:
            raise Trouble("unclear", "the answer to a create has no instance")
        return made

    def machines(self, tag: str) -> list[shapes.Machine]:
        """Every instance with a tag."""
        found = self._pages("/linode/instances", "list", {"tags": tag})
        return [machine for one in found if (machine := _machine(one)) is not None]

    def machine(self, machine_id: str) -> shapes.Machine | None:
        """One instance."""
        try:
            answer = self._caller.ask("GET", f"/linode/instances/{_id(machine_id)}", "look")
        except Trouble as trouble:
            if trouble.kind == "gone":
                return None
            raise
        found = _machine(answer.body)
        if found is None:
            raise Trouble("unclear", "the answer has no instance")
        return found

    def delete(self, machine_id: str) -> bool:
        """Ask for the end of an instance, its disks and configurations."""
        return self._caller.delete(f"/linode/instances/{_id(machine_id)}", "delete")

    # --- walls -----------------------------------------------------------------------------------
    def walls(self, name: str, tag: str, rules: egress.Rules) -> str:
        """A firewall's id; a create that names it makes no unprotected machine."""
        with self._once:
            if name in self._walls:
                return self._walls[name]
            found = self._pages("/networking/firewalls", "look", None)
            there = [number(one.get("id")) for one in found if one.get("label") == name]
            made = there[0] if there else self._make_walls(name, tag, rules)
            self._walls[name] = str(made)
            return self._walls[name]

    def _make_walls(self, name: str, tag: str, rules: egress.Rules) -> int:
        body = {
            "label": name,
            "tags": [tag],
            "rules": {
                "inbound": _holes(rules.inbound),
                "inbound_policy": "DROP",
                "outbound": _holes(rules.outbound),
                "outbound_policy": "DROP",
            },
        }
        answer = self._caller.ask("POST", "/networking/firewalls", "look", body=body)
        made = number(answer.body.get("id")) if isinstance(answer.body, dict) else 0
        if not made:
            raise Trouble("unclear", "the answer has no firewall")
        return made

    # --- what there is to rent -------------------------------------------------------------------
    def sizes(self, region: str) -> list[shapes.Size]:
        """Types without a graphics card, at the region's price. Raises Trouble."""
        found = self._pages("/linode/types", "look", None)
        return [
            shapes.Size(
                name=text(one.get("id")),
                memory_mb=number(one.get("memory")),
                cpus=number(one.get("vcpus")),
                disk_mb=number(one.get("disk")),
                micros_per_hour=_micros(one, region),
            )
            for one in found
            if not number(one.get("gpus")) and not number(one.get("accelerated_devices"))
        ]

    def regions(self) -> list[shapes.Region]:
        """Regions; fit are those with the metadata service and cloud firewalls."""
        return [
            shapes.Region(
                text(one.get("id")),
                text(one.get("label")),
                one.get("status") == "ok"
                and {"Linodes", "Metadata", "Cloud Firewall"} <= set(one.get("capabilities") or ()),
            )
            for one in self._pages("/regions", "look", None)
        ]

    def system(self, image: str) -> shapes.Image | None:
        """A public image that runs cloud-init, by its id."""
        try:
            answer = self._caller.ask("GET", f"/images/{quote(image, safe='')}", "look")
        except Trouble as trouble:
            if trouble.kind == "gone":
                return None
            raise
        return _image(answer.body) if isinstance(answer.body, dict) else None

    def images(self) -> list[shapes.Image]:
        """Private images."""
        found = self._pages("/images", "look", {"is_public": False})
        return [_image(one) for one in found if not one.get("is_public")]

    def account(self) -> shapes.Account:
        """The account; it does not tell how many instances it may have."""
        self._caller.ask("GET", "/account", "look")
        return shapes.Account(None, "active")

    # --- snapshots -------------------------------------------------------------------------------
    def power_off(self, machine_id: str) -> None:
        """Ask an instance to shut down."""
        self._caller.ask("POST", f"/linode/instances/{_id(machine_id)}/shutdown", "look", body={})

    def snapshot(self, machine_id: str, name: str) -> None:
        """Begin an image of the largest disk of an instance that is off."""
        path = f"/linode/instances/{_id(machine_id)}/disks"
        disks = [d for d in self._pages(path, "look", None) if d.get("filesystem") != "swap"]
        if not disks:
            raise Trouble("invalid", "the machine has no disk")
        disk = max(disks, key=lambda one: number(one.get("size")))
        body = {"disk_id": number(disk.get("id")), "label": name, "cloud_init": True}
        self._caller.ask("POST", "/images", "look", body=body)

    def transfer(self, image: shapes.Image, regions: Sequence[str]) -> None:
        """Begin copying an image; the list of regions is the whole one it is to have."""
        wanted = sorted(image.regions.union(regions))
        path = f"/images/{quote(image.id, safe='')}/regions"
        self._caller.ask("POST", path, "look", body={"regions": wanted})

    def delete_image(self, image_id: str) -> None:
        """End an image."""
        self._caller.delete(f"/images/{quote(image_id, safe='')}", "look")

    # --- how it is asked -------------------------------------------------------------------------
    def records(self, zone: str) -> Rows:
        """The names of a zone."""
        return Rows(zone, self._caller, self._pages)

    def _pages(
        self, path: str, urgency: Urgency, wanted: Mapping[str, Any] | None
    ) -> list[dict[str, Any]]:
        """All pages of a list; an incomplete one is none. Raises Trouble."""
        found: list[dict[str, Any]] = []
        headers = {"X-Filter": json.dumps(wanted)} if wanted else None
        for page in range(1, PAGES_MAX + 1):
            asked = {"page": page, "page_size": PAGE}
            answer = self._caller.ask("GET", path, urgency, params=asked, headers=headers)
            found += rows(answer.body, "data")
            if page >= number(answer.body.get("pages")):
                return found
        raise Trouble("unclear", f"{path} has no last page")

    def _heard(self, urgency: Urgency, headers: Mapping[str, str]) -> None:
        limit = headers.get("x-ratelimit-limit", "")
        if urgency == "create" and limit.isdigit():
            self.creating.learn(int(limit))


def _id(given: str) -> str:
    """An instance's number. Raises Trouble for what cannot be one: it is certainly not there."""
    if not given.isdigit():
        raise Trouble("gone", f"{given!r} is no id here")
    return given


def _machine(found: Any) -> shapes.Machine | None:
    if not isinstance(found, dict) or not number(found.get("id")):
        return None
    addresses = found.get("ipv4")
    return shapes.Machine(
        label=text(found.get("label")),
        id=str(found["id"]),
        status=text(found.get("status")),
        created_at=moment(text(found.get("created"))),
        address=text(addresses[0]) or None if isinstance(addresses, list) and addresses else None,
        region=text(found.get("region")),
    )


def _image(found: Mapping[str, Any]) -> shapes.Image:
    listed = [one for one in found.get("regions") or () if isinstance(one, dict)]
    there = frozenset(text(one.get("region")) for one in listed if one.get("status") == "available")
    return shapes.Image(
        id=text(found.get("id")),
        name=text(found.get("label")),
        ready=text(found.get("status"), "available") == "available",
        regions=there,
        created_at=moment(text(found.get("created"))),
        size_mb=number(found.get("size")),
    )


def _micros(one: Mapping[str, Any], region: str) -> int:
    prices = [p for p in one.get("region_prices") or () if p.get("id") == region]
    price = (prices[0] if prices else one.get("price") or {}).get("hourly") or 0
    return int(Decimal(str(price)) * 1_000_000)


def _holes(holes: Sequence[egress.Hole]) -> list[dict[str, Any]]:
    """Holes of one kind as one rule: a firewall has at most 25, each of up to 15 pieces."""
    kinds: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for hole in holes:
        kinds.setdefault((hole.protocol, hole.networks), []).append(hole.ports)
    return [
        {
            "action": "ACCEPT",
            "protocol": protocol.upper(),
            "ports": ", ".join(ports),
            "label": f"allow-{at}",
            "addresses": _addresses(networks),
        }
        for at, ((protocol, networks), ports) in enumerate(kinds.items())
    ]


def _addresses(networks: Sequence[str]) -> dict[str, list[str]]:
    parts = {
        "ipv4": [one for one in networks if ":" not in one],
        "ipv6": [one for one in networks if ":" in one],
    }
    return {family: found for family, found in parts.items() if found}


def _trouble(status: int, body: Any) -> Trouble:  # noqa: PLR0911 - one answer a line
    """What an error means: the field first, then words."""
    listed = body.get("errors") if isinstance(body, dict) else None
    errors = [one for one in listed or () if isinstance(one, dict)]
    said = "; ".join(text(one.get("reason")) for one in errors)
    fields = {text(one.get("field")) for one in errors}
    words = said.lower()
    if status in (401, 403):
        return Trouble("auth", said or "the token is refused")
    if status == 404:
        return Trouble("gone", said or "not found")
    if "label must be unique" in words:
        return Trouble("taken", said)
    if "limit reached" in words or "account limit" in words:
        return Trouble("quota", said)
    if "busy" in words:
        return Trouble("busy", said)
    if fields & {"region", "type"} and not ("not valid" in words or "not found" in words):
        return Trouble("sold_out", said)
    return Trouble("invalid", said or f"status {status}")
