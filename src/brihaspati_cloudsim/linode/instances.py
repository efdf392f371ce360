"""Instances: a label is unique, and free again only when its owner is really gone."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from brihaspati_cloudsim.account import Account, Call, catalogue, iso
from brihaspati_cloudsim.agenda import SECOND
from brihaspati_cloudsim.exchange import Json, Refusal
from brihaspati_cloudsim.linode import events, shapes
from brihaspati_cloudsim.servers import MICROS, Server

USER_DATA_BYTES_MAX = 16_384
FILTERS = {"group", "id", "image", "interface_generation", "ipv4", "label", "region", "tags"}
CREDENTIALS = ("root_pass", "authorized_keys", "authorized_users")
NO_CREDENTIALS = "Must provide valid root_pass, authorized_keys, or authorized_users"
TAKEN = "Label must be unique"
BUSY = "Linode busy."
LIMIT = "Account Limit reached. Please open a support ticket."
# The provider's own words are not public; a caller should look at the status and the field.
SOLD_OUT = "The selected plan is not available in the selected region."
LABEL = re.compile(r"(?!.*(--|__|\.\.))[a-zA-Z0-9_.-]{3,64}")


def create(account: Account, call: Call) -> Json:
    """One instance."""
    body = call.body
    label = body.get("label") or f"linode{account.next_id()}"
    _checked(account, call, label)
    if account.strikes("duplicate_label", call, label) or any(
        server.name == label for server in account.billed()
    ):
        raise Refusal(400, TAKEN, field="label")
    if account.strikes("quota", call, label) or len(account.billed()) >= account.server_limit:
        raise Refusal(400, LIMIT)
    if account.strikes("sold_out", call, label) or (
        (body["region"], body["type"]) in account.sold_out
    ):
        raise Refusal(400, SOLD_OUT, field="type")
    server = _born(account, call, label)
    account.bear(server, call)
    events.note(account, "linode_create", server, server.active_at)
    if server.booted:
        events.note(account, "linode_boot", server, server.boots_at or server.active_at)
    _attach(account, server, body.get("firewall_id"))
    return shapes.instance(server, account.now())


def _checked(account: Account, call: Call, label: str) -> None:
    body = call.body
    if shapes.type_of(body["type"]) is None:
        raise Refusal(400, "A valid plan type by that ID was not found", field="type")
    if all(body["region"] != found["id"] for found in catalogue("linode")["regions"]):
        raise Refusal(400, "region is not valid", field="region")
    if not LABEL.fullmatch(label):
        text = "Label must be 3-64 letters, numbers, - _ or ., and no two of - _ . in a row"
        raise Refusal(400, text, field="label")
    if body.get("image"):
        image = _image(account, body["image"])
        if not any(body.get(name) for name in CREDENTIALS):
            raise Refusal(400, NO_CREDENTIALS)
        if user_data(body) is not None and "cloud-init" not in image["capabilities"]:
            raise Refusal(400, "image must support cloud-init", field="metadata.user_data")
    else:
        user_data(body)
    wall = body.get("firewall_id")
    if wall is not None and str(wall) not in account.firewalls:
        raise Refusal(400, "firewall_id is not valid", field="firewall_id")


def _image(account: Account, wanted: str) -> Json:
    for image in shapes.images(account):
        if image["id"] == wanted and image["status"] == "available":
            return image
    raise Refusal(400, "image is not valid", field="image")


def user_data(body: Json) -> str | None:
    """What a body's metadata says, decoded.

    Raises:
        Refusal: 400 when it is too long or not base64.
    """
    text = (body.get("metadata") or {}).get("user_data")
    if not text:
        return None
    try:
        decoded = base64.b64decode(text, validate=True)
        if len(decoded) > USER_DATA_BYTES_MAX:
            raise Refusal(400, "Must not exceed 16384 bytes", field="metadata.user_data")
        return decoded.decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(400, "Must be a base64 encoded string", field="metadata.user_data") from None


def _born(account: Account, call: Call, label: str) -> Server:
    now, body = account.now(), call.body
    kind = shapes.type_of(body["type"])
    assert kind is not None
    return Server(
        id=account.next_id(),
        provider=shapes.PROVIDER,
        name=label,
        region=body["region"],
        size=body["type"],
        image=body.get("image") or "",
        address=account.free_address(),
        created_at=now,
        listed_at=now + account.drawn_ms(account.lags.listed),
        active_at=now + account.drawn_ms(account.lags.active),
        price_micros_per_hour=round(kind["hourly"] * MICROS),
        price_micros_per_month=round(kind["monthly"] * MICROS),
        tags=[*(body.get("tags") or [])],
        user_data=user_data(body),
        booted=bool(body.get("image")) and body.get("booted", True),
        powered=bool(body.get("image")) and body.get("booted", True),
        note={"disks": f"{account.next_id()} {account.next_id()}"},
    )


def _attach(account: Account, server: Server, firewall_id: int | None) -> None:
    if firewall_id is not None:
        wall = account.firewalls[str(firewall_id)]
        wall["servers"].append(server.id)
        wall["devices"][server.id] = account.next_id()


def show_all(account: Account, call: Call) -> Json:
    """Instances, filtered and paged."""
    now = account.now()
    found = [server for server in account.servers.values() if server.is_listed(now)]
    if fault := account.strikes("stale", call):
        newest_at = now - round((fault.seconds or 0) * SECOND)
        found = [server for server in found if server.created_at <= newest_at]
    if account.strikes("missed", call):
        found = found[: len(found) // 2]
    shown = [shapes.instance(server, now) for server in found]
    if account.strikes("tags_missing", call):
        shown = [instance | {"tags": []} for instance in shown]
    return shapes.page(call, shown, FILTERS)


def the(account: Account, call: Call) -> Server:
    """The instance of a request's path."""
    wanted: Any = call.path["linodeId"]
    server = account.servers.get(int(wanted)) if wanted.isdigit() else None
    if server is None or not server.is_there(account.now()):
        raise Refusal(404, "Not found")
    return server


def show(account: Account, call: Call) -> Json:
    """One instance."""
    return shapes.instance(the(account, call), account.now())


def update(account: Account, call: Call) -> Json:
    """A new label or new tags."""
    server, body = the(account, call), call.body
    label = body.get("label", server.name)
    if any(other.name == label and other is not server for other in account.billed()):
        raise Refusal(400, TAKEN, field="label")
    server.name, server.tags = label, [*body.get("tags", server.tags)]
    return shapes.instance(server, account.now())


def delete(account: Account, call: Call) -> Json:
    """Accepted; whether it is gone is seen by looking."""
    server = the(account, call)
    if account.strikes("locked", call, server.name):
        raise Refusal(400, BUSY)
    account.delete(server, call)
    events.note(account, "linode_delete", server, account.now())
    return {}


def _idle(account: Account, call: Call) -> Server:
    server = the(account, call)
    busy = account.now() < server.busy_until or server.deleting_since_at is not None
    if busy or account.strikes("locked", call, server.name):
        raise Refusal(400, BUSY)
    return server


def power(word: str, *, on: bool, again: bool = False) -> Any:
    """The handler of boot, reboot or shutdown; `word` is the status meanwhile."""

    def handler(account: Account, call: Call) -> Json:
        server = _idle(account, call)
        server.busy_with = word
        server.busy_until = account.now() + account.drawn_ms(account.lags.action)
        account.power(server, on=on, again=again)
        name = call.operation.id.removeprefix("post-").split("-")[0]
        events.note(account, f"linode_{name}", server, server.busy_until)
        return {}

    return handler


def rebuild(account: Account, call: Call) -> Json:
    """A new disk and, if given, new user data, at the same address."""
    server, body = _idle(account, call), call.body
    _image(account, body["image"])
    if not any(body.get(name) for name in CREDENTIALS):
        raise Refusal(400, NO_CREDENTIALS)
    fresh = user_data(body)
    server.image = body["image"]
    server.user_data = fresh if fresh is not None else server.user_data
    server.busy_with = "rebuilding"
    server.busy_until = account.now() + account.drawn_ms(account.lags.active)
    account.bodies.destroy(server)
    account.power(server, on=body.get("booted", True))
    events.note(account, "linode_rebuild", server, server.busy_until)
    return shapes.instance(server, account.now())


def disks(account: Account, call: Call) -> Json:
    """A root disk and a swap disk."""
    server = the(account, call)
    if not server.image:
        return shapes.page(call, [], {"label"})
    kind, now = shapes.type_of(server.size), account.now()
    assert kind is not None
    numbers = [int(number) for number in server.note["disks"].split()]
    when = iso(server.created_at)
    rest = {
        "status": "ready" if now >= server.active_at else "not ready",
        "created": when,
        "updated": when,
        "disk_encryption": "enabled",
    }
    root = {"id": numbers[0], "label": "Root Disk", "filesystem": "ext4"}
    swap = {"id": numbers[1], "label": "512 MB Swap Image", "filesystem": "swap"}
    sizes = ({"size": kind["disk"] - 512}, {"size": 512})
    shown = [disk | size | rest for disk, size in zip((root, swap), sizes, strict=True)]
    return shapes.page(call, shown, {"label"})
