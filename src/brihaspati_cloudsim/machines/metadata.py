"""The metadata services a server asks at 169.254.169.254, as each provider has it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import web

from brihaspati_cloudsim.servers import Server

Facts = Callable[[], dict[str, Any]]


def application(server: Server, public_keys: list[str]) -> web.Application:
    """The service of one server. User data never changes on DigitalOcean; Linode's rebuild may."""
    application = web.Application()
    if server.provider == "digitalocean":
        _digitalocean(application, server, public_keys)
    else:
        _linode(application, server, public_keys)
    return application


def droplet(server: Server, public_keys: list[str]) -> dict[str, Any]:
    """What `/metadata/v1.json` says."""
    public = {
        "ipv4": {
            "ip_address": server.address,
            "netmask": "255.255.240.0",
            "gateway": server.address.rsplit(".", 1)[0] + ".254",
        },
        "mac": mac(server),
        "type": "public",
    }
    return {
        "droplet_id": server.id,
        "hostname": server.name,
        "user_data": server.user_data or "",
        "vendor_data": "",
        "public_keys": public_keys,
        "region": server.region,
        "interfaces": {"public": [public]},
        "dns": {"nameservers": ["127.0.0.1"]},
        "floating_ip": {"ipv4": {"active": False}},
        "reserved_ip": {"ipv4": {"active": False}},
        "tags": [*server.tags],
        "features": {"dhcp_enabled": False},
    }


def mac(server: Server) -> str:
    """The hardware address of its public card."""
    return f"de:ad:be:{server.id >> 16 & 255:02x}:{server.id >> 8 & 255:02x}:{server.id & 255:02x}"


def _digitalocean(application: web.Application, server: Server, keys: list[str]) -> None:
    async def whole(_request: web.Request) -> web.Response:
        return web.json_response(droplet(server, keys))

    async def part(request: web.Request) -> web.Response:
        facts: Any = droplet(server, keys)
        facts["id"] = facts.pop("droplet_id")
        for word in request.match_info["path"].strip("/").split("/"):
            name = "ip_address" if word == "address" else word.replace("-", "_")
            if isinstance(facts, list) and word.isdigit() and int(word) < len(facts):
                facts = facts[int(word)]
            elif isinstance(facts, dict) and name in facts:
                facts = facts[name]
            elif word:
                raise web.HTTPNotFound
        return web.Response(text=_listing(facts))

    application.router.add_get("/metadata/v1.json", whole)
    application.router.add_get("/metadata/v1{path:(/.*)?}", part)


def _listing(facts: Any) -> str:
    if isinstance(facts, dict):
        branch = (dict, list)
        return "\n".join(
            name.replace("_", "-") + ("/" if isinstance(value, branch) else "")
            for name, value in facts.items()
        )
    if isinstance(facts, list):
        plain = all(isinstance(item, str) for item in facts)
        return "\n".join(facts if plain else [f"{number}/" for number in range(len(facts))])
    return str(facts)


def instance(server: Server) -> dict[str, Any]:
    """What `/v1/instance` says."""
    return {
        "id": server.id,
        "host_uuid": "5748c191ff66afda513dc50c7e99c39c6ae4ffb2",
        "label": server.name,
        "region": server.region,
        "type": server.size,
        "tags": [*server.tags],
        "specs": {"vcpus": 1, "memory": 2048, "gpus": 0, "transfer": 2000, "disk": 51200},
        "backups": {"enabled": False, "status": None},
        "account_euuid": "A1BC2DEF-34GH-567I-J890KLMN12O34P56",
        "image": {"id": server.image, "label": server.image},
    }


def _linode(application: web.Application, server: Server, keys: list[str]) -> None:
    tokens: set[str] = set()

    async def token(request: web.Request) -> web.Response:
        seconds = request.headers.get("Metadata-Token-Expiry-Seconds", "")
        if not seconds.isdigit():
            raise web.HTTPBadRequest
        made = secrets.token_hex(32)
        tokens.add(made)
        if "json" in request.headers.get("Accept", ""):
            return web.json_response([made])
        return web.Response(text=made)

    def answering(facts: Callable[[], Any]) -> Any:
        async def answer(request: web.Request) -> web.Response:
            if request.headers.get("Metadata-Token") not in tokens:
                raise web.HTTPUnauthorized
            found = facts()
            return web.Response(text=found) if isinstance(found, str) else web.json_response(found)

        return answer

    def user_data() -> str:
        return base64.b64encode((server.user_data or "").encode()).decode()

    def network() -> dict[str, Any]:
        six = {"slaac": f"2001:db8::{server.id % 65536:x}/128", "link_local": "fe80::1/128"}
        addresses = {"public": [f"{server.address}/32"], "private": [], "shared": []}
        return {"interfaces": [], "ipv4": addresses, "ipv6": six | {"ranges": []}}

    application.router.add_put("/v1/token", token)
    for path, facts in (
        ("instance", lambda: instance(server)),
        ("network", network),
        ("ssh-keys", lambda: {"users": {"root": keys}}),
        ("user-data", user_data),
    ):
        application.router.add_get(f"/v1/{path}", answering(facts))
