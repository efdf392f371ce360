"""The real cloud-init, beside the host's programs and not among them.

Its packages are fetched by apt and unpacked into a folder, which machines see laid over /usr. They
are never installed: a laptop with cloud-init would run it at its own next start.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from brihaspati_cloudsim.machines.machine import Setting
from brihaspati_cloudsim.servers import Server

PACKAGES = ("cloud-init", "sudo")
STAGES = (
    ("cloud-init", "init", "--local"),
    ("cloud-init", "init"),
    ("cloud-init", "modules", "--mode=config"),
    ("cloud-init", "modules", "--mode=final"),
)


# What a provider's own image would bring: where to look for data, and no waiting for hardware.
CONFIG = """datasource_list: [{source}]
datasource:
  DigitalOcean: {{use_ip4LL: false}}
network: {{config: disabled}}
ssh_deletekeys: false
ssh_genkeytypes: []
no_ssh_fingerprints: true
locale: false
apt: {{preserve_sources_list: true}}
"""
SOURCES = {"digitalocean": "DigitalOcean", "linode": "Akamai"}


class CannotFetch(OSError):  # noqa: N818 - said to a person
    """apt does not give the packages."""


def setting(kind: str) -> Setting:
    """How machines of this kind (`light`, `cloud-init`) are run.

    Raises:
        CannotFetch: cloud-init cannot be had.
    """
    if kind == "light":
        return Setting()
    return Setting(
        layers=(str(layer() / "usr"),), etc=str(layer() / "etc"), files=files, stages=STAGES
    )


def files(server: Server) -> dict[str, str]:
    """What tells cloud-init where its data is: its provider's own source, where it has one.

    Debian 12's knows none for Akamai and gets the same data as a seed.
    """
    source = SOURCES[server.provider]
    module = f"usr/lib/python3/dist-packages/cloudinit/sources/DataSource{source}.py"
    found: dict[str, str] = {}
    if not (layer() / module).exists():
        source, seed = "NoCloud", "/var/lib/cloud/seed/nocloud"
        found[f"{seed}/user-data"] = server.user_data or ""
        found[f"{seed}/meta-data"] = f"instance-id: {server.id}\nlocal-hostname: {server.name}\n"
    return found | {"/etc/cloud/cloud.cfg.d/99-stand-in.cfg": CONFIG.format(source=source)}


def layer() -> Path:
    """The folder with cloud-init in it, made on first use; 15 s with a quick mirror.

    Raises:
        CannotFetch: apt does not give it.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    done = base / "brihaspati" / "cloud-init-layer"
    if not done.exists():
        done.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=done.parent))
        try:
            _fetch(made)
            made.chmod(0o755)
            made.rename(done)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(made, ignore_errors=True)
            if not done.exists():  # somebody else was quicker
                raise CannotFetch(f"cloud-init cannot be fetched by apt: {error}") from error
    return done


def _fetch(to: Path) -> None:
    words = ["apt-get", "--simulate", "--no-install-recommends", "install", *PACKAGES]
    plan = subprocess.run(words, check=True, capture_output=True, text=True, env=_environment())
    names = re.findall(r"^Inst (\S+)", plan.stdout, re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        # apt fetches as its own user, who has to write here.
        Path(folder).chmod(0o777)
        subprocess.run(["apt-get", "download", *names], check=True, cwd=folder, capture_output=True)
        for package in sorted(Path(folder).glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", str(package), str(to)], check=True)


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}
