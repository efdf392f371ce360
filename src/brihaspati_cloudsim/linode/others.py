"""Everything that is not an instance: firewalls, images, tags, the account and its catalogue."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from brihaspati_cloudsim.account import Account, Call, Handler, catalogue, iso
from brihaspati_cloudsim.exchange import Json, Refusal
from brihaspati_cloudsim.linode import instances, shapes
from brihaspati_cloudsim.servers import MICROS, cost_micros


def _missing() -> Refusal:
    return Refusal(404, "Not found")


# --- account -------------------------------------------------------------------------------------
def account_get(account: Account, _call: Call) -> Json:
    """The account; `balance_uninvoiced` is what the month has cost until now."""
    now = account.now()
    used = sum(cost_micros(server, now) for server in account.servers.values()) / MICROS
    blank = ("company", "first_name", "last_name", "address_1", "address_2", "city", "zip", "phone")
    return dict.fromkeys(blank, "") | {
        "email": "owner@example.org",
        "state": "PA",
        "country": "US",
        "tax_id": "",
        "balance": 0.0,
        "balance_uninvoiced": round(used, 2),
        "billing_source": "linode",
        "credit_card": {"last_four": "1111", "expiry": "02/2030"},
        "active_since": "2018-01-02T03:04:05",
        "capabilities": ["Linodes", "Block Storage", "Cloud Firewall", "Machine Images"],
        "active_promotions": [],
        "euuid": "A1BC2DEF-34GH-567I-J890KLMN12O34P56",
    }


def profile(_account: Account, _call: Call) -> Json:
    """Whose token it is."""
    return {
        "username": "stand-in",
        "email": "owner@example.org",
        "timezone": "UTC",
        "email_notifications": True,
        "restricted": False,
        "two_factor_auth": True,
        "lish_auth_method": "keys_only",
        "authorized_keys": [],
        "ip_whitelist_enabled": False,
        "verified_phone_number": None,
        "referrals": {"total": 0, "completed": 0, "pending": 0, "credit": 0, "code": "", "url": ""},
    }


def _listed(name: str, shape: Any, allowed: set[str]) -> Handler:
    def handler(_account: Account, call: Call) -> Json:
        return shapes.page(call, [shape(found) for found in catalogue("linode")[name]], allowed)

    return handler


def _one(name: str, shape: Any, parameter: str) -> Handler:
    def handler(_account: Account, call: Call) -> Json:
        for found in catalogue("linode")[name]:
            if found["id"] == call.path[parameter]:
                shown: Json = shape(found)
                return shown
        raise _missing()

    return handler


types = _listed("types", shapes.linode_type, {"class", "label", "memory", "vcpus", "disk"})
type_get = _one("types", shapes.linode_type, "typeId")
regions = _listed("regions", shapes.region, {"country", "status", "id"})
region_get = _one("regions", shapes.region, "regionId")


def availability(account: Account, call: Call) -> Json:
    """Which types each region still has."""
    return shapes.page(call, _availability(account), {"region", "plan", "available"})


def _availability(account: Account) -> list[Json]:
    found = catalogue("linode")
    return [
        {
            "region": region["id"],
            "plan": kind["id"],
            "available": (region["id"], kind["id"]) not in account.sold_out,
        }
        for region in found["regions"]
        for kind in found["types"]
    ]


def region_availability(account: Account, call: Call) -> Any:
    """Which types one region still has."""
    return [row for row in _availability(account) if row["region"] == call.path["regionId"]]


def account_availability(_account: Account, call: Call) -> Json:
    """Which products each region offers this account."""
    offered = {"available": ["Linodes", "Block Storage"], "unavailable": []}
    regions_now = catalogue("linode")["regions"]
    return shapes.page(call, [{"region": found["id"]} | offered for found in regions_now], set())


def nothing(_account: Account, call: Call) -> Json:
    """A list of what the stand-in has none of."""
    return shapes.page(call, [], {"label", "tags"})


# --- images --------------------------------------------------------------------------------------
def image_list(account: Account, call: Call) -> Json:
    """Public and own images."""
    allowed = {"id", "label", "is_public", "status", "type", "vendor", "size", "deprecated", "tags"}
    return shapes.page(call, shapes.images(account), allowed)


def _image_id(call: Call) -> str:
    return call.path["imageId"].replace("%2F", "/")


def image_get(account: Account, call: Call) -> Json:
    """One image; its id holds a slash, encoded."""
    for image in shapes.images(account):
        if image["id"] == _image_id(call):
            return image
    raise _missing()


def image_create(account: Account, call: Call) -> Json:
    """An image of a disk."""
    body, now = call.body, account.now()
    owner = next(
        (
            server
            for server in account.there()
            if str(body["disk_id"]) in server.note["disks"].split()
        ),
        None,
    )
    if owner is None:
        raise Refusal(400, "disk_id is not valid", field="disk_id")
    number = f"private/{account.next_id()}"
    account.images[number] = {
        "id": number,
        "label": body.get("label") or number,
        "description": body.get("description", ""),
        "size": 1600,
        "tags": body.get("tags", []),
        "capabilities": ["cloud-init"] if body.get("cloud_init") else [],
        "regions": [{"region": owner.region, "status": "available"}],
        "created_at": now,
        "ready_at": now + account.drawn_ms(account.lags.snapshot),
    }
    account.bodies.snapshot(owner, number)
    return next(image for image in shapes.images(account) if image["id"] == number)


def _own(account: Account, call: Call) -> Json:
    own: Json | None = account.images.get(_image_id(call))
    if own is None:
        raise _missing()
    return own


def image_update(account: Account, call: Call) -> Json:
    """A new label, description or tags."""
    names = ("label", "description", "tags")
    _own(account, call).update({name: call.body[name] for name in names if name in call.body})
    return image_get(account, call)


def image_delete(account: Account, call: Call) -> Json:
    """An image is no more."""
    del account.images[_own(account, call)["id"]]
    return {}


def image_replicate(account: Account, call: Call) -> Json:
    """Keep an image in these regions."""
    regions_now = [{"region": name, "status": "available"} for name in call.body["regions"]]
    _own(account, call)["regions"] = regions_now
    return image_get(account, call)


# --- firewalls -----------------------------------------------------------------------------------
def _entity(account: Account, number: int) -> Json:
    server = account.servers[number]
    url = f"/v4/linode/instances/{number}"
    return {"id": number, "type": "linode", "label": server.name, "url": url}


def _wall(account: Account, wall: Json) -> Json:
    when = iso(wall["created_at"])
    return {
        "id": wall["id"],
        "label": wall["label"],
        "created": when,
        "updated": when,
        "status": wall["status"],
        "rules": _rules(wall),
        "tags": wall["tags"],
        "entities": [_entity(account, number) for number in wall["servers"]],
    }


def _rules(wall: Json) -> Json:
    text = json.dumps(wall["rules"], sort_keys=True).encode()
    digest = hashlib.sha256(text).hexdigest()[:8]
    rules: Json = wall["rules"]
    return rules | {"version": wall["version"], "fingerprint": digest}


def _ruled(rules: Json) -> Json:
    for name in ("inbound_policy", "outbound_policy"):
        if rules.get(name) not in ("ACCEPT", "DROP"):
            raise Refusal(400, f"{name} is required", field=f"rules.{name}")
    return {"inbound": [], "outbound": []} | rules


def firewall_create(account: Account, call: Call) -> Json:
    """A firewall; its label is unique too."""
    body = call.body
    if any(wall["label"] == body["label"] for wall in account.firewalls.values()):
        raise Refusal(400, instances.TAKEN, field="label")
    number = account.next_id()
    servers = [*(body.get("devices") or {}).get("linodes", [])]
    account.firewalls[str(number)] = {
        "id": number,
        "label": body["label"],
        "created_at": account.now(),
        "status": "enabled",
        "rules": _ruled(body["rules"]),
        "version": 1,
        "tags": [*(body.get("tags") or [])],
        "servers": servers,
        "devices": {server: account.next_id() for server in servers},
    }
    return _wall(account, account.firewalls[str(number)])


def firewall_list(account: Account, call: Call) -> Json:
    """All of them."""
    shown = [_wall(account, wall) for wall in account.firewalls.values()]
    return shapes.page(call, shown, {"id", "label", "tags", "status"})


def _the(account: Account, call: Call) -> Json:
    wall: Json | None = account.firewalls.get(call.path["firewallId"])
    if wall is None:
        raise _missing()
    return wall


def firewall_get(account: Account, call: Call) -> Json:
    """One."""
    return _wall(account, _the(account, call))


def firewall_update(account: Account, call: Call) -> Json:
    """A new label, status or tags."""
    wall, names = _the(account, call), ("label", "status", "tags")
    wall.update({name: call.body[name] for name in names if name in call.body})
    return _wall(account, wall)


def firewall_delete(account: Account, call: Call) -> Json:
    """Instances under it are open from now on."""
    del account.firewalls[str(_the(account, call)["id"])]
    return {}


def rules_get(account: Account, call: Call) -> Json:
    """Its rules."""
    return _rules(_the(account, call))


def rules_update(account: Account, call: Call) -> Json:
    """New rules."""
    wall = _the(account, call)
    wall["rules"] = _ruled(call.body)
    wall["version"] += 1
    return _rules(wall)


def _device(account: Account, wall: Json, number: int) -> Json:
    when = iso(wall["created_at"])
    entity = _entity(account, number)
    return {"id": wall["devices"][number], "created": when, "updated": when, "entity": entity}


def device_list(account: Account, call: Call) -> Json:
    """What it is attached to."""
    wall = _the(account, call)
    return shapes.page(call, [_device(account, wall, number) for number in wall["servers"]], set())


def device_create(account: Account, call: Call) -> Json:
    """Attach it; an instance has at most one."""
    wall, number = _the(account, call), call.body["id"]
    if number not in account.servers or not account.servers[number].is_there(account.now()):
        raise Refusal(400, "id is not valid", field="id")
    if any(number in other["servers"] for other in account.firewalls.values()):
        text = "Each device can be assigned to one enabled firewall"
        raise Refusal(400, text, field="id")
    wall["servers"].append(number)
    wall["devices"][number] = account.next_id()
    return _device(account, wall, number)


def device_delete(account: Account, call: Call) -> Json:
    """Detach it."""
    wall = _the(account, call)
    for number, device in wall["devices"].items():
        if str(device) == call.path["deviceId"] and number in wall["servers"]:
            wall["servers"].remove(number)
            return {}
    raise _missing()


def instance_firewalls(account: Account, call: Call) -> Json:
    """The firewall of an instance."""
    server = instances.the(account, call)
    found = [wall for wall in account.firewalls.values() if server.id in wall["servers"]]
    return shapes.page(call, [_wall(account, wall) for wall in found], set())


# --- tags ----------------------------------------------------------------------------------------
def tag_list(account: Account, call: Call) -> Json:
    """Every tag that something carries or that was made."""
    carried = {tag: None for server in account.there() for tag in server.tags}
    names = sorted({**account.tags, **carried})
    return shapes.page(call, [{"label": name} for name in names], {"label"})


def tag_create(account: Account, call: Call) -> Json:
    """A tag, and who carries it."""
    label = call.body["label"]
    account.tags.setdefault(label)
    for number in call.body.get("linodes") or []:
        if label not in account.servers[number].tags:
            account.servers[number].tags.append(label)
    return {"label": label}


def tag_objects(account: Account, call: Call) -> Json:
    """What carries a tag."""
    name, now = call.path["tagLabel"], account.now()
    carrying = [server for server in account.there() if name in server.tags]
    if not carrying and name not in account.tags:
        raise _missing()
    shown = [{"type": "linode", "data": shapes.instance(server, now)} for server in carrying]
    return shapes.page(call, shown, set())


def tag_delete(account: Account, call: Call) -> Json:
    """Nothing carries it from now on."""
    name = call.path["tagLabel"]
    account.tags.pop(name, None)
    for server in account.servers.values():
        server.tags = [tag for tag in server.tags if tag != name]
    return {}
