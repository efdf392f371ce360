"""Droplets: accepted with 202, listed late, named as you like."""

from __future__ import annotations

from typing import Any

from brihaspati_cloudsim.account import Account, Call
from brihaspati_cloudsim.agenda import SECOND
from brihaspati_cloudsim.digitalocean import shapes
from brihaspati_cloudsim.exchange import Answer, Json, Refusal, not_found
from brihaspati_cloudsim.servers import MICROS, Server

USER_DATA_BYTES_MAX = 64 * 1024
NAMES_MAX = 10
OVER_LIMIT = "creating this/these droplet(s) will exceed your droplet limit"
SOLD_OUT = "Size is not available in this region."
PENDING = "Droplet already has a pending event."
POWER = {"power_on": True, "power_off": False, "shutdown": False}


def create(account: Account, call: Call) -> Answer:
    """One droplet, or up to ten with the same user data."""
    names = call.body["names"] if "names" in call.body else [call.body["name"]]
    if len(names) > NAMES_MAX:
        raise Refusal(422, f"You can create up to {NAMES_MAX} Droplets at once.")
    region, image = _checked(account, call)
    if account.strikes("quota", call, names[0]) or (
        len(account.billed()) + len(names) > account.server_limit
    ):
        raise Refusal(422, OVER_LIMIT)
    if account.strikes("sold_out", call, names[0]) or (
        (region, call.body["size"]) in account.sold_out
    ):
        raise Refusal(422, SOLD_OUT)
    for tag in call.body.get("tags") or []:
        account.tags.setdefault(tag)
    made = [_born(account, call, name, region, image) for name in names]
    if not call.body.get("ssh_keys"):
        account.mails += len(made)
    acts = [new_action(account, server, "create", server.active_at) for server in made]
    links = {"actions": [_action_link(act) for act in acts]}
    shown = [shapes.droplet(account, server, call) for server in made]
    if "names" in call.body:
        return Answer(202, {"droplets": shown, "links": links})
    return Answer(202, {"droplet": shown[0], "links": links})


def _action_link(act: Json) -> Json:
    href = f"https://api.digitalocean.com/v2/actions/{act['id']}"
    return {"id": act["id"], "rel": act["type"], "href": href}


def _checked(account: Account, call: Call) -> tuple[str, Json]:
    """The region and image that are meant."""
    body = call.body
    if len((body.get("user_data") or "").encode()) > USER_DATA_BYTES_MAX:
        raise Refusal(422, "user_data is too long (maximum is 65536 characters)")
    if shapes.size_of(body["size"]) is None:
        raise Refusal(422, "You specified an invalid size for Droplet creation.")
    slugs = [found["slug"] for found in shapes.regions(account)]
    near = [slug for slug in slugs if slug.startswith(body.get("region") or "")]
    if not near:
        raise Refusal(422, "Region is not available")
    region = body["region"] if body.get("region") in slugs else near[0]
    wanted = str(body["image"])
    for image in shapes.images(account):
        if wanted in (str(image["id"]), image["slug"]) and image["status"] == "available":
            break
    else:
        raise Refusal(422, "You specified an invalid image for Droplet creation.")
    if region not in image["regions"]:
        raise Refusal(422, "The image is not available in the region you selected.")
    unknown = [key for key in body.get("ssh_keys", []) if _key(account, key) is None]
    if unknown:
        text = f"{unknown[0]} are invalid key identifiers for Droplet creation."
        raise Refusal(422, text)
    return region, image


def _key(account: Account, wanted: int | str) -> Json | None:
    for key in account.keys.values():
        if str(wanted) in (str(key["id"]), key["fingerprint"]):
            return key
    return None


def _born(account: Account, call: Call, name: str, region: str, image: Json) -> Server:
    now, size = account.now(), shapes.size_of(call.body["size"])
    assert size is not None
    keys = [_key(account, key) for key in call.body.get("ssh_keys", [])]
    server = Server(
        id=account.next_id(),
        provider=shapes.PROVIDER,
        name=name,
        region=region,
        size=size["slug"],
        image=str(image["id"]),
        address=account.free_address(),
        created_at=now,
        listed_at=now + account.drawn_ms(account.lags.listed),
        active_at=now + account.drawn_ms(account.lags.active),
        price_micros_per_hour=round(size["price_hourly"] * MICROS),
        price_micros_per_month=round(size["price_monthly"] * MICROS),
        tags=[*(call.body.get("tags") or [])],
        user_data=call.body.get("user_data"),
        key_ids=[key["id"] for key in keys if key is not None],
        note={"vpc": call.body.get("vpc_uuid") or "5a4981aa-9653-4bd1-bef5-d6bff52042e4"},
    )
    account.bear(server, call)
    return server


def show_all(account: Account, call: Call) -> Json:
    """Droplets by tag or name; those with a GPU only when they are asked for."""
    now, query = account.now(), call.query
    gpus = query.get("type") == "gpus"
    found = [
        server
        for server in account.servers.values()
        if server.is_listed(now)
        and server.size.startswith("gpu-") is gpus
        and query.get("tag_name") in (None, *server.tags)
        and query.get("name") in (None, server.name)
    ]
    if fault := account.strikes("stale", call):
        newest_at = now - round((fault.seconds or 0) * SECOND)
        found = [server for server in found if server.created_at <= newest_at]
    if account.strikes("missed", call):
        found = found[: len(found) // 2]
    answer = shapes.page(call, "droplets", found)
    shown = [shapes.droplet(account, server, call) for server in answer["droplets"]]
    if account.strikes("tags_missing", call):
        shown = [droplet | {"tags": []} for droplet in shown]
    return answer | {"droplets": shown}


def the(account: Account, call: Call) -> Server:
    """The droplet of a request's path."""
    wanted = call.path["droplet_id"]
    server = account.servers.get(int(wanted)) if wanted.isdigit() else None
    if server is None or not server.is_there(account.now()):
        raise not_found()
    return server


def show(account: Account, call: Call) -> Json:
    """One droplet."""
    return {"droplet": shapes.droplet(account, the(account, call), call)}


def delete(account: Account, call: Call) -> Answer:
    """Accepted; whether it is gone is seen by looking."""
    server = the(account, call)
    if account.strikes("locked", call, server.name):
        raise Refusal(422, PENDING)
    account.delete(server, call)
    return Answer(204)


def delete_tagged(account: Account, call: Call) -> Answer:
    """Everything that carries a tag."""
    tag = call.query.get("tag_name")
    if not tag:
        raise Refusal(422, "tag_name is required")
    for server in account.there():
        if tag in server.tags:
            account.delete(server, call)
    return Answer(204)


def new_action(account: Account, server: Server, kind: str, done_at: int) -> Json:
    """Write down something that happens to a droplet until `done_at`."""
    made: Json = {
        "id": account.next_id(),
        "type": kind,
        "started_at": account.now(),
        "done_at": done_at,
        "resource_id": server.id,
        "resource_type": "droplet",
        "region": server.region,
    }
    account.actions[made["id"]] = made
    return made


def act(account: Account, call: Call) -> Answer:
    """Power, snapshots, rebuilds and renames."""
    server, now, kind = the(account, call), account.now(), call.body["type"]
    if now < server.busy_until or account.strikes("locked", call, server.name):
        raise Refusal(422, PENDING)
    span = account.lags.snapshot if kind == "snapshot" else account.lags.action
    server.busy_until = now + account.drawn_ms(span)
    made = new_action(account, server, kind, server.busy_until)
    if kind in POWER:
        account.power(server, on=POWER[kind])
    elif kind in ("reboot", "power_cycle"):
        account.power(server, on=True, again=True)
    elif kind == "rebuild":
        account.bodies.destroy(server)
        account.power(server, on=True)
    elif kind == "snapshot":
        _snapshot(account, server, call)
    elif kind == "rename":
        server.name = call.body["name"]
    else:
        raise Refusal(422, f"{kind} is not done by this stand-in")
    return Answer(201, {"action": shapes.action(account, made)})


def _snapshot(account: Account, server: Server, call: Call) -> None:
    number = account.next_id()
    server.snapshot_ids.append(number)
    size = shapes.size_of(server.size)
    assert size is not None
    account.images[str(number)] = {
        "id": number,
        "name": call.body.get("name") or f"{server.name}-{number}",
        "distribution": "Debian",
        "slug": None,
        "regions": [server.region],
        "min_disk_size": size["disk"],
        "size_gigabytes": 1.5,
        "description": "",
        "tags": [],
        "created_at": account.now(),
        "ready_at": server.busy_until,
        "server": server.id,
    }
    account.bodies.snapshot(server, str(number))


def actions(account: Account, call: Call) -> Json:
    """What was done to a droplet, newest first."""
    server = the(account, call)
    found = [made for made in account.actions.values() if made["resource_id"] == server.id]
    return shapes.page(call, "actions", [shapes.action(account, made) for made in found[::-1]])


def one_action(account: Account, call: Call) -> Json:
    """One action, by its id alone or under its droplet."""
    wanted: Any = call.path["action_id"]
    made = account.actions.get(int(wanted)) if wanted.isdigit() else None
    if made is None:
        raise not_found()
    return {"action": shapes.action(account, made)}


def snapshots(account: Account, call: Call) -> Json:
    """A droplet's snapshots."""
    server = the(account, call)
    kept = [image for image in account.images.values() if image["server"] == server.id]
    shown = [
        {
            "id": image["id"],
            "name": image["name"],
            "created_at": shapes.moment(image["created_at"]),
            "regions": image["regions"],
            "min_disk_size": image["min_disk_size"],
            "size_gigabytes": image["size_gigabytes"],
            "type": "snapshot",
        }
        for image in kept
    ]
    return shapes.page(call, "snapshots", shown)
