"""What a builder runs at its first boot: a lab's files and setup, then off, for a snapshot.

The snapshot holds a mark, the digest of what was done. A machine made from it finds the mark of its
own lab, and leaves files and setup alone; one of any other content does them.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shlex
from collections.abc import Sequence

from brihaspati.domain import firstboot
from brihaspati.domain.labs import Lab, MachineSpec

MARK = "/var/lib/brihaspati/baked"
# A machine made from the snapshot is another one: nothing of this boot may tell them apart later.
FORGET = """
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id /root/.bash_history
! command -v cloud-init || cloud-init clean --logs --machine-id || cloud-init clean --logs
"""


def can_bake(spec: MachineSpec) -> bool:
    """Whether the lab's author says that an image may have the setup done."""
    return spec.bake and firstboot.needed(spec)


def unbaked(lab: Lab) -> Sequence[str]:
    """The machines of a lab that have a setup and no leave to bake it."""
    return [spec.name for spec in lab.machines if spec.setup and not spec.bake]


def digest(spec: MachineSpec) -> str:
    """Of all that is done to a fresh machine: another content, another digest."""
    parts = (spec.image, spec.user, spec.files, spec.setup, spec.environment, spec.requires)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def first_boot(spec: MachineSpec) -> bytes:
    """The script for a rented machine: nothing is left to do where the mark is this lab's own."""
    script = firstboot.script(spec)
    if not can_bake(spec):
        return script
    done = f'[ "$(cat {MARK} 2>/dev/null)" = {digest(spec)} ]'
    return f"if {done}; then : >{firstboot.READY}; exit 0; fi\n".encode() + script


def user_data(spec: MachineSpec) -> str:
    """Cloud-config (JSON is YAML). A setup that fails leaves the machine on: nothing is kept."""
    exports = "".join(f"export {key}={shlex.quote(text)}\n" for key, text in spec.environment)
    script = (
        "#!/bin/sh\nset -e\n"
        f"({exports}sh /var/lib/brihaspati/setup)\n"
        f"echo {digest(spec)} >{MARK}\n"
        f"rm -f /var/lib/brihaspati/setup /var/lib/brihaspati/bake{FORGET}poweroff\n"
    )
    files = [
        _file("/var/lib/brihaspati/setup", firstboot.script(spec)),
        _file("/var/lib/brihaspati/bake", script.encode()),
    ]
    config = {"write_files": files, "runcmd": [["/var/lib/brihaspati/bake"]]}
    return f"#cloud-config\n{json.dumps(config)}\n"


def _file(path: str, content: bytes) -> dict[str, str]:
    """Packed: what a lab brings has to fit the 16 KiB that both clouds take."""
    return {
        "path": path,
        "encoding": "gz+b64",
        "content": base64.b64encode(gzip.compress(content, mtime=0)).decode(),
        "permissions": "0700",
    }
