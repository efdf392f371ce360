"""Runs in .venv-clouds: what Linode's own client does with a stand-in. Prints JSON."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from cloud_sdks import asking


def main(root: str) -> None:
    """Ask the stand-in at this address."""
    sdk: Any = importlib.import_module("linode_api4")
    client = sdk.LinodeClient("linode-stand-in", base_url=f"{root}/v4")

    def unnamed(_name: str) -> bool:
        made = client.linode.instance_create("g6-nanode-1", "de-fra-2", tags=["sdk"])
        return bool(made.id)

    def named(name: str) -> bool:
        made = client.linode.instance_create("g6-nanode-1", "de-fra-2", label=name)
        return bool(made.id)

    seen = asking.Asking(root, "linode")
    fields = {"label": "first", "tags": ["sdk"], "root_pass": "thrown-away-1!"}
    made = client.linode.instance_create(
        "g6-standard-1", "de-fra-2", image="linode/debian12", **fields
    )
    seen.note("create", made.label)
    found = [*client.linode.instances(sdk.Instance.tags.contains("sdk"))]
    seen.note("list", [instance.label for instance in found])
    seen.note("get", sdk.Instance(client, made.id).type.id)
    seen.note("disks", [disk.filesystem for disk in made.disks])
    seen.note("account", client.account().balance)
    seen.note("types", len([*client.linode.types()]) > 3)
    rules = {"inbound": [], "inbound_policy": "DROP", "outbound": [], "outbound_policy": "ACCEPT"}
    wall = client.networking.firewall_create("sdk", rules)
    wall.device_create(made.id)
    seen.note("firewall", [device.entity.id == made.id for device in wall.devices])
    seen.note("shutdown", made.shutdown())
    seen.note("delete", made.delete())
    seen.try_faults(unnamed, "post-linode-instance", "without a label")
    seen.try_faults(named, "post-linode-instance", "with a label")


if __name__ == "__main__":
    main(sys.argv[1])
