"""How one deployment uses its engine, and what every container of ours gets: as little as works."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import docker.types

from brihaspati import ports

MARK_ENV = "brihaspati.env"
MARK_LABEL = "brihaspati.label"
MARK_USER = "brihaspati.user"
MARK_BOOT = "brihaspati.boot"
MARK_NETWORK = "brihaspati.network"

# What a shell, a package's scripts and a small server need. Without NET_RAW (forged packets) and
# MKNOD (device nodes), which Docker would leave in.
CAPABILITIES = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)
# The first process only collects orphans and waits to be removed. It needs nothing but a shell.
WAIT_FOR_THE_END = "trap 'exit 0' TERM; while :; do sleep 86400 & wait $!; done"


@dataclass(frozen=True, slots=True)
class Options:
    """What a deployment chooses.

    `address` is unix:///path or tcp://host:port. `host_image` stands in for the image `host`,
    which only a provider without images can offer. `network` names a network the operator made,
    with rules of its own, for labs that ask for egress; without it `full` gets a plain network of
    its own and `allow` is refused. `private_pool` is where private networks take addresses from.
    `disk_limit` says that the engine's storage can limit a container (xfs with pquota, btrfs, zfs).
    """

    env: str
    address: str = "unix:///var/run/docker.sock"
    runtime: str | None = None
    userns: str | None = None
    network: str | None = None
    host_image: str | None = None
    private_pool: str = "10.213.0.0/16"
    disk_limit: bool = False
    cgroup_parent: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def _most(limit: int, most: int) -> int:
    """`most`, or the hard limit of this process where that is less (-1 is no limit)."""
    hard = resource.getrlimit(limit)[1]
    return most if hard == resource.RLIM_INFINITY else min(hard, most)


def _ulimits(options: Options, disk_mb: int) -> list[docker.types.Ulimit]:
    # Named one by one: an engine's defaults can exceed what its own process may grant. nproc is
    # counted per user over all machines, so it is no limit of a machine: the pids limit is.
    nofile = _most(resource.RLIMIT_NOFILE, 65536)
    nproc = _most(resource.RLIMIT_NPROC, 16384)  # Podman keeps 32,768 for itself
    ulimits = [
        docker.types.Ulimit(name="nofile", soft=min(1024, nofile), hard=nofile),
        docker.types.Ulimit(name="nproc", soft=nproc, hard=nproc),
        docker.types.Ulimit(name="core", soft=0, hard=0),
    ]
    if not options.disk_limit:
        size = disk_mb << 20
        ulimits.append(docker.types.Ulimit(name="fsize", soft=size, hard=size))
    return ulimits


def host_settings(options: Options, order: ports.MachineOrder) -> dict[str, Any]:
    """Keyword arguments for docker-py's `create_host_config`, without the network."""
    wants = order.spec.resources
    settings: dict[str, Any] = {
        "cap_drop": ["ALL"],
        "cap_add": list(CAPABILITIES),
        "security_opt": ["no-new-privileges"],
        "pids_limit": wants.pids,
        "mem_limit": wants.memory_mb << 20,
        "memswap_limit": wants.memory_mb << 20,
        "cpu_period": 100_000,
        "cpu_quota": max(1_000, int(wants.cpus * 100_000)),
        "shm_size": max(1, min(64, wants.memory_mb // 4)) << 20,
        "ulimits": _ulimits(options, wants.disk_mb),
        "log_config": docker.types.LogConfig(type="none"),
        "restart_policy": {"Name": "no"},
    }
    if options.disk_limit:
        settings["storage_opt"] = {"size": f"{wants.disk_mb}M"}
    if options.runtime:
        settings["runtime"] = options.runtime
    if options.userns:
        settings["userns_mode"] = options.userns
    if options.cgroup_parent:
        settings["cgroup_parent"] = options.cgroup_parent
    return settings


def marks(options: Options, order: ports.MachineOrder, *, boots: bool) -> dict[str, str]:
    """The labels that make a container ours and tell what a later process must know of it."""
    return {
        **options.labels,
        MARK_ENV: options.env,
        MARK_LABEL: order.label,
        MARK_USER: order.spec.user,
        MARK_BOOT: "1" if boots else "",
        MARK_NETWORK: network_name(order) if order.peers else "",
    }


def network_name(order: ports.MachineOrder) -> str:
    """One private network for the machines of one attempt: their common part of the label."""
    return order.label.removesuffix(f"-{order.spec.name}")


def isolation(options: Options) -> str:
    """What stands between a lab and this host, in words for an operator."""
    if options.runtime and "runsc" in options.runtime:
        wall = "gVisor: labs talk to a kernel of their own; fit for untrusted students"
    elif options.userns and options.userns != "host":
        wall = "containers in a user namespace: root in a lab is nobody here; keep the kernel new"
    else:
        wall = "plain containers: root in a lab is root behind filters; for trusted students"
    disk = "disk limited" if options.disk_limit else "no limit on the disk as a whole"
    return f"{wall}; memory, CPU and processes limited, {disk}"
