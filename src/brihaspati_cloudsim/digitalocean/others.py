"""Everything that is not a droplet: firewalls, tags, images, money."""

from __future__ import annotations

import hashlib
from typing import Any

from brihaspati_cloudsim.account import Account, Call
from brihaspati_cloudsim.digitalocean import droplets, shapes
from brihaspati_cloudsim.exchange import Answer, Json, Refusal, not_found
from brihaspati_cloudsim.servers import MICROS, Server, cost_micros


# --- account and money -------------------------------------------------------------------------
def account_get(account: Account, _call: Call) -> Json:
    """The account and its limits."""
    team = {"uuid": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "name": "Stand-in"}
    return {
        "account": {
            "droplet_limit": account.server_limit,
            "floating_ip_limit": 3,
            "email": "owner@example.org",
            "name": "Stand-in",
            "uuid": "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
            "email_verified": True,
            "status": "active",
            "status_message": "",
            "team": team,
        }
    }


def balance(account: Account, _call: Call) -> Json:
    """What the month has cost until now."""
    now = account.now()
    used = sum(cost_micros(server, now) for server in account.servers.values()) / MICROS
    return {
        "month_to_date_balance": f"{used:.2f}",
        "account_balance": "0.00",
        "month_to_date_usage": f"{used:.2f}",
        "generated_at": shapes.moment(now),
    }


def history(_account: Account, call: Call) -> Json:
    """Nothing has been invoiced yet."""
    return shapes.page(call, "billing_history", [])


def keys(account: Account, call: Call) -> Json:
    """Public keys."""
    return shapes.page(call, "ssh_keys", [*account.keys.values()])


def key_create(account: Account, call: Call) -> Answer:
    """A new public key."""
    return Answer(201, {"ssh_key": add_key(account, call.body["name"], call.body["public_key"])})


def add_key(account: Account, name: str, public_key: str) -> Json:
    """Register a public key; the same key twice is refused."""
    digest = hashlib.md5(public_key.encode(), usedforsecurity=False).hexdigest()
    fingerprint = ":".join(digest[i : i + 2] for i in range(0, 32, 2))
    if any(key["fingerprint"] == fingerprint for key in account.keys.values()):
        raise Refusal(422, "SSH Key is already in use on your account")
    key: Json = {
        "id": account.next_id(),
        "fingerprint": fingerprint,
        "public_key": public_key,
        "name": name,
    }
    account.keys[key["id"]] = key
    return key


# --- firewalls ---------------------------------------------------------------------------------
def holds_for(wall: Json, server: Server) -> bool:
    """Whether a firewall is attached to a droplet, by id or by tag."""
    return server.id in wall["servers"] or bool(set(wall["tags"]) & set(server.tags))


def firewall(_account: Account, wall: Json) -> Json:
    """A firewall."""
    return {
        "id": wall["id"],
        "name": wall["name"],
        "status": "succeeded",
        "created_at": shapes.moment(wall["created_at"]),
        "pending_changes": [],
        "droplet_ids": [*wall["servers"]],
        "tags": [*wall["tags"]],
        "inbound_rules": wall["inbound_rules"],
        "outbound_rules": wall["outbound_rules"],
    }


def _ruled(account: Account, call: Call, wall: Json) -> Json:
    body = call.body
    if unknown := [tag for tag in body.get("tags") or [] if tag not in account.tags]:
        raise Refusal(422, f"tag {unknown[0]} does not exist")
    wall |= {
        "name": body["name"],
        "inbound_rules": body.get("inbound_rules") or [],
        "outbound_rules": body.get("outbound_rules") or [],
        "servers": [*(body.get("droplet_ids") or [])],
        "tags": [*(body.get("tags") or [])],
    }
    if not wall["inbound_rules"] and not wall["outbound_rules"]:
        raise Refusal(422, "at least one rule must be specified")
    return wall


def firewall_create(account: Account, call: Call) -> Answer:
    """Its tags must be there already."""
    if any(wall["name"] == call.body["name"] for wall in account.firewalls.values()):
        raise Refusal(409, "duplicate name", kind="conflict")
    start = {"id": shapes.identifier(account), "created_at": account.now()}
    wall = _ruled(account, call, start)
    account.firewalls[wall["id"]] = wall
    return Answer(202, {"firewall": firewall(account, wall)})


def firewall_list(account: Account, call: Call) -> Json:
    """All of them."""
    shown = [firewall(account, wall) for wall in account.firewalls.values()]
    return shapes.page(call, "firewalls", shown)


def _wall(account: Account, call: Call) -> Json:
    wall = account.firewalls.get(call.path["firewall_id"])
    if wall is None:
        raise not_found()
    return wall


def firewall_get(account: Account, call: Call) -> Json:
    """One."""
    return {"firewall": firewall(account, _wall(account, call))}


def firewall_update(account: Account, call: Call) -> Json:
    """Replace all of it."""
    return {"firewall": firewall(account, _ruled(account, call, _wall(account, call)))}


def firewall_delete(account: Account, call: Call) -> Answer:
    """Droplets under it are open from now on."""
    del account.firewalls[_wall(account, call)["id"]]
    return Answer(204)


def firewall_members(account: Account, call: Call) -> Answer:
    """Attach or detach droplets or tags."""
    wall, adds = _wall(account, call), call.operation.method == "POST"
    given = call.body.get("droplet_ids") or call.body.get("tags") or []
    kept = wall["servers" if "droplet_ids" in call.body else "tags"]
    for member in given:
        if adds and member not in kept:
            kept.append(member)
        elif not adds and member in kept:
            kept.remove(member)
    return Answer(204)


def droplet_firewalls(account: Account, call: Call) -> Json:
    """The firewalls that hold for a droplet."""
    server = droplets.the(account, call)
    found = [wall for wall in account.firewalls.values() if holds_for(wall, server)]
    return shapes.page(call, "firewalls", [firewall(account, wall) for wall in found])


# --- tags --------------------------------------------------------------------------------------
def _tag(account: Account, name: str) -> Json:
    count = sum(name in server.tags for server in account.there())
    resources: Json = {"count": count, "last_tagged_uri": ""}
    return {"name": name, "resources": resources | {"droplets": {"count": count}}}


def tag_list(account: Account, call: Call) -> Json:
    """All tags, also those nothing carries any more."""
    return shapes.page(call, "tags", [_tag(account, name) for name in account.tags])


def tag_create(account: Account, call: Call) -> Answer:
    """A tag that is there already stays."""
    account.tags.setdefault(call.body["name"])
    return Answer(201, {"tag": _tag(account, call.body["name"])})


def _tag_name(account: Account, call: Call) -> str:
    if call.path["tag_id"] not in account.tags:
        raise not_found()
    return call.path["tag_id"]


def tag_get(account: Account, call: Call) -> Json:
    """One tag."""
    return {"tag": _tag(account, _tag_name(account, call))}


def tag_delete(account: Account, call: Call) -> Answer:
    """Nothing carries it from now on."""
    name = _tag_name(account, call)
    del account.tags[name]
    for server in account.servers.values():
        server.tags = [tag for tag in server.tags if tag != name]
    return Answer(204)


def tag_members(account: Account, call: Call) -> Answer:
    """Tag or untag droplets."""
    name, adds = _tag_name(account, call), call.operation.method == "POST"
    for resource in call.body["resources"]:
        server = account.servers.get(int(resource["resource_id"]))
        if server is None:
            raise not_found()
        server.tags = [tag for tag in server.tags if tag != name] + [name] * adds
    return Answer(204)


# --- images ------------------------------------------------------------------------------------
def image_list(account: Account, call: Call) -> Json:
    """Public and own images; `private=true`: own."""
    private = call.query.get("private") == "true"
    shown = [image for image in shapes.images(account) if not (private and image["public"])]
    return shapes.page(call, "images", shown)


def image_get(account: Account, call: Call) -> Json:
    """One image, by number or slug."""
    wanted = call.path["image_id"]
    for image in shapes.images(account):
        if wanted in (str(image["id"]), image["slug"]):
            return {"image": image}
    raise not_found()


def _own(account: Account, wanted: str) -> Json:
    if wanted not in account.images:
        raise not_found()
    own: Json = account.images[wanted]
    return own


def image_delete(account: Account, call: Call) -> Answer:
    """A snapshot is no more."""
    _own(account, call.path["image_id"])
    del account.images[call.path["image_id"]]
    return Answer(204)


def image_update(account: Account, call: Call) -> Json:
    """A new name or description."""
    image = _own(account, call.path["image_id"])
    image |= {name: call.body[name] for name in ("name", "description") if name in call.body}
    return {"image": shapes.private_image(account, image)}


def image_act(account: Account, call: Call) -> Answer:
    """Copy a snapshot to another region."""
    image = _own(account, call.path["image_id"])
    if call.body["type"] != "transfer":
        raise Refusal(422, f"{call.body['type']} is not done by this stand-in")
    region, done_at = call.body["region"], account.now() + account.drawn_ms(account.lags.snapshot)
    account.agenda.at(done_at, lambda: image["regions"].append(region))
    made: Json = {
        "id": account.next_id(),
        "type": "transfer",
        "started_at": account.now(),
        "done_at": done_at,
        "resource_id": image["id"],
        "resource_type": "image",
        "region": region,
    }
    account.actions[made["id"]] = made
    return Answer(201, {"action": shapes.action(account, made)} | shapes.action(account, made))


def image_actions(account: Account, call: Call) -> Json:
    """What was done to a snapshot."""
    own = _own(account, call.path["image_id"])
    found = [made for made in account.actions.values() if made["resource_id"] == own["id"]]
    return shapes.page(call, "actions", [shapes.action(account, made) for made in found])


def snapshot_list(account: Account, call: Call) -> Json:
    """Snapshots of droplets, which outlive them and cost money."""
    return shapes.page(call, "snapshots", [_snapshot(image) for image in account.images.values()])


def _snapshot(image: Json) -> Json:
    kept = ("name", "regions", "min_disk_size", "size_gigabytes", "tags")
    return {name: image[name] for name in kept} | {
        "id": str(image["id"]),
        "created_at": shapes.moment(image["created_at"]),
        "resource_id": str(image["server"]),
        "resource_type": "droplet",
    }


def snapshot_get(account: Account, call: Call) -> Json:
    """One snapshot."""
    return {"snapshot": _snapshot(_own(account, call.path["snapshot_id"]))}


def snapshot_delete(account: Account, call: Call) -> Answer:
    """A snapshot is no more."""
    _own(account, call.path["snapshot_id"])
    del account.images[call.path["snapshot_id"]]
    return Answer(204)


def nothing(name: str) -> Any:
    """A list of what the stand-in has none of."""
    return lambda _account, call: shapes.page(call, name, [])
