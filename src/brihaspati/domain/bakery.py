"""What a builder runs at its first boot: a lab's files and setup, then off, for a snapshot."""

from __future__ import annotations

import base64
import json
import shlex

from brihaspati.domain.labs import MachineSpec

MARK = "/var/lib/brihaspati/setup-done"
# A machine made from the snapshot is another one: nothing of this boot may tell them apart later.
FORGET = """
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id /root/.bash_history
cloud-init clean --logs --machine-id || cloud-init clean --logs
"""


def user_data(spec: MachineSpec, name: str) -> str:
    """Cloud-config (JSON is YAML). A setup that fails leaves the machine on: nothing is kept.

    Args:
        spec: the machine whose setup is to be done.
        name: of the image, which the mark in it tells.
    """
    lines = [f"export {key}={shlex.quote(value)}" for key, value in spec.environment]
    begun = "" if (spec.setup or "").startswith("#!") else "#!/bin/sh\n"
    inner = "".join(f"{line}\n" for line in lines)
    script = (
        "#!/bin/sh\nset -e\n"
        f"{inner}"
        "/var/lib/brihaspati/setup\n"
        f"echo {shlex.quote(name)} >{MARK}\n"
        f"rm -f /var/lib/brihaspati/setup /var/lib/brihaspati/bake{FORGET}poweroff\n"
    )
    files = [
        _file("/var/lib/brihaspati/setup", f"{begun}{spec.setup or 'true'}\n".encode(), 0o700),
        _file("/var/lib/brihaspati/bake", script.encode(), 0o700),
        *(_file(one.path, one.content, one.mode) for one in spec.files),
    ]
    config = {"write_files": files, "runcmd": [["/var/lib/brihaspati/bake"]]}
    return f"#cloud-config\n{json.dumps(config)}\n"


def _file(path: str, content: bytes, mode: int) -> dict[str, str]:
    return {
        "path": path,
        "encoding": "b64",
        "content": base64.b64encode(content).decode(),
        "permissions": f"0{mode:o}",
    }
