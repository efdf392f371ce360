"""How Linode writes things down."""

from __future__ import annotations

import hashlib
from typing import Any

from brihaspati_cloudsim.account import Account, Call, catalogue, iso
from brihaspati_cloudsim.exchange import Json, Refusal
from brihaspati_cloudsim.linode import filters
from brihaspati_cloudsim.servers import Server

PROVIDER = "linode"
PAGE_SIZE = 100
REGION_CAPABILITIES = (
    "Linodes", "Disk Encryption", "Backups", "NodeBalancers", "Block Storage", "Kubernetes",
    "Cloud Firewall", "Vlans", "VPCs", "Metadata", "Placement Group", "StackScripts",
)  # fmt: skip


def type_of(name: str) -> Json | None:
    """A type of the catalogue."""
    return next((kind for kind in catalogue(PROVIDER)["types"] if kind["id"] == name), None)


def linode_type(kind: Json) -> Json:
    """A type with its price."""
    kept = {name: value for name, value in kind.items() if name not in ("hourly", "monthly")}
    backups = {"price": {"hourly": 0.004, "monthly": 2.5}, "region_prices": []}
    return kept | {
        "price": {"hourly": kind["hourly"], "monthly": kind["monthly"]},
        "region_prices": [],
        "addons": {"backups": backups},
        "gpus": 0,
        "accelerated_devices": 0,
        "successor": None,
    }


def region(found: Json) -> Json:
    """A region."""
    return found | {
        "capabilities": [*REGION_CAPABILITIES],
        "status": "ok",
        "resolvers": {"ipv4": "192.0.2.1,192.0.2.2", "ipv6": "2001:db8::1,2001:db8::2"},
        "placement_group_limits": {
            "maximum_pgs_per_customer": 100,
            "maximum_linodes_per_pg": 5,
            "maximum_linodes_per_flexible_pg": 5,
        },
        "site_type": "core",
    }


def images(account: Account) -> list[Json]:
    """Public images, then the account's own."""
    public = [
        _image(account, image | {"ready_at": 0, "created_at": 1_768_000_000_000, "tags": []})
        | {"is_public": True, "created_by": "linode"}
        for image in catalogue(PROVIDER)["images"]
    ]
    return public + [_image(account, image) for image in account.images.values()]


def _image(account: Account, image: Json) -> Json:
    return {
        "id": image["id"],
        "label": image["label"],
        "description": image.get("description", ""),
        "created": iso(image["created_at"]),
        "updated": iso(image["created_at"]),
        "size": image["size"],
        "created_by": "user",
        "type": "manual",
        "tags": image["tags"],
        "is_public": False,
        "deprecated": False,
        "vendor": image.get("vendor"),
        "expiry": None,
        "eol": None,
        "status": "available" if account.now() >= image["ready_at"] else "creating",
        "capabilities": image.get("capabilities", ["cloud-init"]),
        "regions": image.get("regions", []),
        "total_size": image["size"],
    }


def status(server: Server, now: int) -> str:
    """What the API calls what a server does now."""
    if server.deleting_since_at is not None:
        return "deleting"
    if now < server.active_at:
        return "provisioning"
    if now < server.busy_until:
        return server.busy_with or "busy"
    if not server.powered:
        return "offline"
    return "running" if server.boots_at is not None and now >= server.boots_at else "booting"


def instance(server: Server, now: int) -> Json:
    """An instance as it is now; the names are those of recorded answers of 2026."""
    kind = type_of(server.size)
    assert kind is not None
    specs = {name: kind[name] for name in ("disk", "memory", "vcpus", "transfer")}
    digest = hashlib.sha1(server.key.encode(), usedforsecurity=False).hexdigest()
    schedule = {"day": None, "window": None}
    return {
        "id": server.id,
        "label": server.name,
        "group": "",
        "status": status(server, now),
        "created": iso(server.created_at),
        "updated": iso(server.created_at),
        "type": server.size,
        "ipv4": [server.address],
        "ipv6": f"2001:db8::{server.id % 65536:x}/128",
        "image": server.image or None,
        "region": server.region,
        "site_type": "core",
        "specs": specs | {"gpus": 0, "accelerated_devices": 0},
        "alerts": _alerts(),
        "backups": _backups(schedule),
        "hypervisor": "kvm",
        "watchdog_enabled": True,
        "tags": [*server.tags],
        "host_uuid": digest,
        "has_user_data": server.user_data is not None,
        "placement_group": None,
        "disk_encryption": "enabled",
        "lke_cluster_id": None,
        "capabilities": ["Block Storage Encryption", "SMTP Enabled", "Maintenance Policy"],
        "interface_generation": "legacy_config",
        "maintenance_policy": "linode/migrate",
        "locks": [],
    }


def _alerts() -> Json:
    limits = {"cpu": 90, "network_in": 10, "network_out": 10, "transfer_quota": 80, "io": 10_000}
    return limits | {"system_alerts": [], "user_alerts": []}


def _backups(schedule: Json) -> Json:
    return {"enabled": False, "available": False, "schedule": schedule, "last_successful": None}


def page(call: Call, items: list[Json], allowed: set[str]) -> Json:
    """One page of a list, filtered by X-Filter.

    Raises:
        Refusal: 400 for a field one cannot filter on or a page that is not there.
    """
    asked = filters.read(call.request.headers.get("x-filter"), allowed)
    found = filters.ordered(asked, [item for item in items if filters.matches(asked, item)])
    size, number = (_whole(call, "page_size", PAGE_SIZE), _whole(call, "page", 1))
    pages = max(1, -(-len(found) // size))
    if number > pages:
        raise Refusal(404, "Not found")
    data = found[(number - 1) * size : number * size]
    return {"data": data, "page": number, "pages": pages, "results": len(found)}


def _whole(call: Call, name: str, usual: int) -> int:
    text: Any = call.query.get(name, usual)
    if not str(text).isdigit() or int(text) < 1:
        raise Refusal(400, f"{name} must be a positive whole number", field=name)
    if name == "page_size" and not 25 <= int(text) <= 500:
        raise Refusal(400, "Must be 25-500", field=name)
    return int(text)
