"""Runs in .venv-clouds: what DigitalOcean's own client does with a stand-in. Prints JSON."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from cloud_sdks import asking

BODY = {"size": "s-1vcpu-1gb", "image": "debian-12-x64", "region": "fra1"}
# It wants TLS unless it is told otherwise, call by call.
PLAIN = {"enforce_https": False}


def main(root: str) -> None:
    """Ask the stand-in at this address."""
    client: Any = importlib.import_module("pydo").Client("dop_v1_stand-in", endpoint=root)

    def create(name: str) -> bool:
        made = client.droplets.create(BODY | {"name": name, "tags": ["sdk"]}, **PLAIN)
        return "droplet" in made

    seen = asking.Asking(root, "digitalocean")
    seen.note("create", create("first"))
    listed = client.droplets.list(tag_name="sdk", per_page=1, **PLAIN)
    number = listed["droplets"][0]["id"]
    seen.note("list", [listed["meta"]["total"], listed["droplets"][0]["name"]])
    seen.note("get", client.droplets.get(number, **PLAIN)["droplet"]["size_slug"])
    act = client.droplet_actions.post(number, {"type": "snapshot", "name": "s"}, **PLAIN)
    seen.note("action", act["action"]["type"])
    rule = {"protocol": "tcp", "ports": "443", "sources": {"addresses": ["0.0.0.0/0"]}}
    wall = {"name": "sdk", "inbound_rules": [rule], "tags": ["sdk"]}
    seen.note("firewall", client.firewalls.create(wall, **PLAIN)["firewall"]["tags"])
    seen.note("account", client.account.get(**PLAIN)["account"]["droplet_limit"])
    seen.note("sizes", len(client.sizes.list(per_page=200, **PLAIN)["sizes"]) > 3)
    seen.note("images", client.images.list(private=True, **PLAIN)["images"][0]["name"])
    client.droplets.destroy(number, **PLAIN)
    # A missing droplet is no exception to it, but a body that says so.
    seen.note("missing", client.droplets.get(1, **PLAIN)["id"])
    seen.try_faults(create, "droplets_create")


if __name__ == "__main__":
    main(sys.argv[1])
