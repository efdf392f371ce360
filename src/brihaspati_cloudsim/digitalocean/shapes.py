"""How DigitalOcean writes things down."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from brihaspati_cloudsim.account import Account, Call, catalogue, iso
from brihaspati_cloudsim.exchange import Json
from brihaspati_cloudsim.servers import Server

PROVIDER = "digitalocean"
PER_PAGE = 20


def moment(at: int) -> str:
    """A moment, in UTC."""
    return iso(at) + "Z"


def identifier(account: Account) -> str:
    """A UUID of the account's own chance."""
    return str(uuid.UUID(int=account.dice.getrandbits(128), version=4))


def size_of(slug: str) -> Json | None:
    """A size of the catalogue."""
    return next((size for size in catalogue(PROVIDER)["sizes"] if size["slug"] == slug), None)


def sizes(account: Account) -> list[Json]:
    """All sizes, with the regions that still have some."""
    slugs = [region["slug"] for region in catalogue(PROVIDER)["regions"]]
    return [
        size
        | {
            "available": True,
            "regions": [slug for slug in slugs if (slug, size["slug"]) not in account.sold_out],
            "disk_info": [{"type": "local", "size": {"amount": size["disk"], "unit": "gib"}}],
        }
        for size in catalogue(PROVIDER)["sizes"]
    ]


def regions(account: Account) -> list[Json]:
    """All regions, with the sizes they still have."""
    slugs = [size["slug"] for size in catalogue(PROVIDER)["sizes"]]
    return [
        region
        | {
            "available": True,
            "features": [
                "backups",
                "ipv6",
                "metadata",
                "install_agent",
                "storage",
                "image_transfer",
            ],
            "sizes": [slug for slug in slugs if (region["slug"], slug) not in account.sold_out],
        }
        for region in catalogue(PROVIDER)["regions"]
    ]


def images(account: Account) -> list[Json]:
    """Public images, then the account's own."""
    slugs = [region["slug"] for region in catalogue(PROVIDER)["regions"]]
    public = [
        image
        | {
            "type": "base",
            "public": True,
            "regions": slugs,
            "created_at": "2026-01-15T12:00:00Z",
            "description": f"{image['distribution']} {image['name']}",
            "tags": [],
            "status": "available",
            "error_message": "",
        }
        for image in catalogue(PROVIDER)["images"]
    ]
    return public + [private_image(account, image) for image in account.images.values()]


def private_image(account: Account, image: Json) -> Json:
    """A snapshot, as an image; it is listed while it is being made."""
    status = "available" if account.now() >= image["ready_at"] else "pending"
    shown = ("id", "name", "distribution", "slug", "regions", "min_disk_size", "size_gigabytes")
    return {name: image[name] for name in shown} | {
        "type": "snapshot",
        "public": False,
        "created_at": moment(image["created_at"]),
        "description": image["description"],
        "tags": image["tags"],
        "status": status,
        "error_message": "",
    }


def droplet(account: Account, server: Server, call: Call) -> Json:
    """A droplet as it is now. Tags are shown only to a token that may read tags."""
    now = account.now()
    size = next(size for size in sizes(account) if size["slug"] == server.size)
    shown = [image for image in images(account) if str(image["id"]) == server.image]
    return {
        "id": server.id,
        "name": server.name,
        "memory": size["memory"],
        "vcpus": size["vcpus"],
        "disk": size["disk"],
        "disk_info": size["disk_info"],
        "locked": now < server.busy_until,
        "status": status(server, now),
        "kernel": None,
        "created_at": moment(server.created_at),
        "features": ["droplet_agent"] if server.note.get("agent") else [],
        "backup_ids": [],
        "next_backup_window": None,
        "snapshot_ids": server.snapshot_ids,
        "image": shown[0] if shown else {},
        "volume_ids": [],
        "size": size,
        "size_slug": server.size,
        "networks": _networks(server, now),
        "region": next(found for found in regions(account) if found["slug"] == server.region),
        "tags": [*server.tags] if call.token.allows("tag:read") else [],
        "vpc_uuid": server.note["vpc"],
    }


def status(server: Server, now: int) -> str:
    """`active` means powered on, not booted."""
    if now < server.active_at:
        return "new"
    return "active" if server.powered else "off"


def _networks(server: Server, now: int) -> Json:
    if now < server.active_at and now - server.created_at < 3_000:
        return {"v4": [], "v6": []}
    private = {"ip_address": f"10.10.{server.id // 250 % 250}.{server.id % 250 + 1}"}
    common = {"netmask": "255.255.240.0", "gateway": server.address.rsplit(".", 1)[0] + ".254"}
    return {
        "v4": [
            private | {"netmask": "255.255.0.0", "gateway": "nil", "type": "private"},
            {"ip_address": server.address, **common, "type": "public"},
        ],
        "v6": [],
    }


def action(account: Account, made: Json) -> Json:
    """An action as it is now."""
    done = account.now() >= made["done_at"]
    region = next(found for found in regions(account) if found["slug"] == made["region"])
    return {
        "id": made["id"],
        "status": "completed" if done else "in-progress",
        "type": made["type"],
        "started_at": moment(made["started_at"]),
        "completed_at": moment(made["done_at"]) if done else None,
        "resource_id": made["resource_id"],
        "resource_type": made["resource_type"],
        "region": region,
        "region_slug": made["region"],
    }


def page(call: Call, name: str, items: Sequence[Any]) -> Json:
    """One page of a list, with links and the total."""
    query = call.query
    size, number = int(query.get("per_page", PER_PAGE)), int(query.get("page", 1))
    last = max(1, -(-len(items) // size))
    pages: dict[str, str] = {}
    if number > 1:
        pages |= {"first": _link(call, 1, size), "prev": _link(call, number - 1, size)}
    if number < last:
        pages |= {"next": _link(call, number + 1, size), "last": _link(call, last, size)}
    shown = list(items)[(number - 1) * size : number * size]
    return {name: shown, "links": {"pages": pages} if pages else {}, "meta": {"total": len(items)}}


def _link(call: Call, number: int, size: int) -> str:
    kept = {name: text for name, text in call.query.items() if name not in ("page", "per_page")}
    words = [f"{name}={text}" for name, text in kept.items()]
    query = "&".join([*words, f"page={number}", f"per_page={size}"])
    return f"https://api.digitalocean.com{call.request.path}?{query}"
