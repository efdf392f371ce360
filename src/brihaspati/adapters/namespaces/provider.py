"""The `namespaces` provider: machines made of Linux namespaces on this host. Needs root."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from brihaspati import ports
from brihaspati.adapters.namespaces import client, network, orders, place
from brihaspati.domain import labs
from brihaspati_agent import places

_LABEL = re.compile(r"bh-[a-z0-9]([a-z0-9-]{0,150}[a-z0-9])?")
_SETUP = "/run/brihaspati-setup"
_PAGE = 500
_BUILD_SECONDS_MAX = 20.0
_ANSWER_SECONDS = 60.0
_SETUP_TAIL_LINES = 8
_SETUP_TAIL_BYTES = 1500
Progress = Callable[[str, float | None], None]


class Rootfs(Protocol):
    """An image ready to be a lab's root: `path`, and `usr` to be laid over its /usr, if any."""

    @property
    def path(self) -> Path:
        """A folder owned by root."""
        ...

    @property
    def usr(self) -> Path | None:
        """Bound read-only at /usr."""
        ...


class Images(Protocol):
    """Makes images ready. Raises CreateRefused with kind "image"."""

    def ready(self, image: str, progress: Progress) -> Rootfs:
        """The image; quick when it was ready before."""
        ...


class Networks(Protocol):
    """Joins a lab's network namespace to a network, and undoes that; absent is fine."""

    def attach(self, label: str, netns_fd: int, order: ports.MachineOrder) -> None:
        """Raises CreateRefused, OSError."""
        ...

    def detach(self, label: str) -> None:
        """Undo `attach`."""
        ...


def _now() -> ports.Moment:
    return time.time_ns() // 1_000_000


class Namespaces:
    """Labs on this host. Thread-safe; creations run side by side.

    `folder` is the data folder (images, the keeper's socket); `env` the deployment's name. The
    labs end `orphan_seconds` after the last process that used them has gone.
    """

    name = "namespaces"
    rented = False

    def __init__(
        self,
        folder: Path,
        env: str,
        images: Images,
        *,
        networks: Networks | None = None,
        orphan_seconds: float = 120,
        now: Callable[[], ports.Moment] = _now,
    ) -> None:
        self._keeper = client.Client(folder, orphan_seconds)
        self._mark = f"bh-{env}-"
        self._images = images
        self._networks = networks
        self._now = now

    def start(self) -> None:
        """Find the keeper of the folder, or start one. Raises CreateRefused (host)."""
        try:
            self._keeper.start()
        except (client.Unavailable, OSError) as problem:
            raise ports.CreateRefused("host", _host_text(problem)) from problem

    def close(self, *, end_labs: bool) -> None:
        """Hang up; with `end_labs` every lab of the folder ends first. Raises Unclear."""
        try:
            if end_labs:
                self._keeper.shut_down(_ANSWER_SECONDS)
        except (client.Unavailable, client.Lost, OSError) as problem:
            raise ports.Unclear(_host_text(problem)) from problem
        finally:
            self._keeper.close()

    def has_lost_labs(self) -> bool:
        """Whether the keeper has ended, and every lab with it; said once."""
        return self._keeper.has_ended()

    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:  # noqa: ARG002
        """Our own host costs nothing more."""
        return 0

    def prepare(self, image: str, progress: Progress) -> None:
        """Make an image ready. Raises CreateRefused (image)."""
        self._images.ready(image, progress)

    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Make a lab; it answers when a terminal would open. Raises CreateRefused, Unclear."""
        self._check(order)
        rootfs = self._images.ready(order.spec.image, lambda *_: None)
        lab, payload = _lab_order(order, rootfs, self._now())
        ask = {"op": "create", "order": orders.to_json(lab)}
        try:
            line, answer, fds = self._keeper.begin(
                ask, payload=payload, timeout_seconds=_ANSWER_SECONDS
            )
            with contextlib.closing(line):
                disk = self._follow(line, answer, fds, order)
        except client.Lost as problem:
            raise ports.Unclear(str(problem)) from problem
        except (client.Unavailable, OSError) as problem:
            raise ports.CreateRefused("host", _host_text(problem)) from problem
        return ports.MachineSeen(
            label=order.label, id=order.label, usable=True, created_at=lab.created_at, disk=disk
        )

    def _check(self, order: ports.MachineOrder) -> None:
        if not _LABEL.fullmatch(order.label) or not order.label.startswith(self._mark):
            raise ports.CreateRefused("invalid", f"not a label of ours: {order.label}")
        if _needs_network(order) and self._networks is None:
            raise ports.CreateRefused("host", "this server is set up without networks for labs")

    def _follow(
        self, line: client.Line, answer: dict[str, Any], fds: list[int], order: ports.MachineOrder
    ) -> str | None:
        """See a creation through from its first answer; how its disk is kept.

        Raises CreateRefused, Unclear, Lost.
        """
        if "network" in answer:
            self._attach(order, fds)
            line.say({"go": True})
            answer, fds = line.answer(_ANSWER_SECONDS)
        client.close_all(fds)
        if "ok" not in answer:
            raise _refusal(answer, order.label)
        disk: str | None = answer.get("disk")
        if order.spec.setup is None:
            return disk
        try:
            _set_up(place.Place(self._keeper, order.label), order.spec)
        except ports.CreateRefused:
            self.delete(order.label)
            raise
        line.say({"usable": True})
        answer, _ = line.answer(_ANSWER_SECONDS)
        if "ok" not in answer:
            raise _refusal(answer, order.label)
        return disk

    def _attach(self, order: ports.MachineOrder, fds: list[int]) -> None:
        assert self._networks is not None
        try:
            self._networks.attach(order.label, fds[0], order)
        except ports.CreateRefused:
            self.delete(order.label)
            raise
        except OSError as problem:
            self.delete(order.label)
            raise ports.CreateRefused("host", f"no network: {problem}") from problem
        finally:
            client.close_all(fds)

    def find(self, label: str) -> ports.MachineSeen | None:
        """The lab of this label. Raises Unclear."""
        if not label.startswith(self._mark):
            return None
        return next((seen for seen in self._list(label) if seen.label == label), None)

    def inventory(self) -> list[ports.MachineSeen]:
        """Every lab of our environment. Raises Unclear."""
        return self._list(self._mark)

    def delete(self, machine_id: str) -> None:
        """End a lab and wait until nothing of it is left; absent is fine. Raises Unclear."""
        if not machine_id.startswith(self._mark):
            return  # never touch what has not our mark
        answer = self._ask({"op": "destroy", "label": machine_id})
        if answer.get("network") and self._networks is not None:
            self._networks.detach(machine_id)

    def place(self, label: str) -> places.Place:
        """For the agent. Raises NoSuchMachine."""
        try:
            seen = self.find(label)
        except ports.Unclear as problem:
            raise places.NoSuchMachine(label) from problem
        if seen is None:
            raise places.NoSuchMachine(label)
        return place.Place(self._keeper, label)

    def netns(self, label: str) -> int | None:
        """A descriptor, yours to close, of a lab's network namespace; None if there is no lab."""
        try:
            _, fds = self._keeper.ask({"op": "network", "label": label})
        except (client.Unavailable, client.Lost, OSError):
            return None
        return fds[0] if fds else None

    def usage(self, label: str) -> dict[str, int]:
        """memory_bytes, cpu_ms (since it began) and pids of a lab. Raises Unclear."""
        answer = self._ask({"op": "stats", "label": label})
        if "ok" not in answer:
            raise ports.Unclear(str(answer.get("problem")))
        return {name: int(answer[name]) for name in ("memory_bytes", "cpu_ms", "pids")}

    def _list(self, prefix: str) -> list[ports.MachineSeen]:
        found: list[ports.MachineSeen] = []
        after = ""
        while True:
            ask = {"op": "list", "prefix": prefix, "after": after, "limit": _PAGE}
            rows = self._ask(ask)["labs"]
            for label, phase, created_at, disk in rows:
                usable = phase == "usable"
                found.append(ports.MachineSeen(label, label, usable, created_at, disk=disk))
            if len(rows) < _PAGE:
                return found
            after = rows[-1][0]

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            answer, fds = self._keeper.ask(message, timeout_seconds=_ANSWER_SECONDS)
        except (client.Unavailable, client.Lost, OSError) as problem:
            raise ports.Unclear(_host_text(problem)) from problem
        client.close_all(fds)
        if answer.get("kind") == "invalid":
            raise ports.Unclear(str(answer.get("problem")))
        return answer


def _host_text(problem: BaseException) -> str:
    if isinstance(problem, OSError):
        where = f" ({problem.filename})" if problem.filename else ""
        return f"{problem.strerror}{where}"
    return str(problem)


def _refusal(answer: dict[str, Any], label: str) -> Exception:
    kind, problem = answer.get("kind"), str(answer.get("problem"))
    match kind:
        case "exists":
            return ports.Unclear(f"{label} exists already")
        case "image" | "sold_out" | "invalid":
            return ports.CreateRefused(kind, problem)
        case _:
            return ports.CreateRefused("host", problem)


def _needs_network(order: ports.MachineOrder) -> bool:
    return order.egress != "none" or len(order.peers) > 0


def _lab_order(
    order: ports.MachineOrder, rootfs: Rootfs, now: ports.Moment
) -> tuple[orders.LabOrder, bytes]:
    """The order as the keeper takes it, and the bytes of all its files."""
    spec, size = order.spec, order.spec.resources
    wanted = [
        ("/etc/hostname", f"{spec.name}\n".encode(), 0o644),
        ("/etc/hosts", network.hosts_file(order), 0o644),
        ("/etc/resolv.conf", network.resolv_conf(order) or b"", 0o644),
        *((file.path, file.content, file.mode) for file in spec.files),
    ]
    if spec.setup is not None:
        wanted.append((_SETUP, spec.setup.encode(), 0o700))
    files, payload = [], bytearray()
    for path, content, mode in wanted:
        files.append(orders.FileAt(path, mode, len(payload), len(content)))
        payload += content
    lab = orders.LabOrder(
        label=order.label,
        hostname=spec.name,
        user=spec.user,
        root=os.fspath(rootfs.path),
        usr=None if rootfs.usr is None else os.fspath(rootfs.usr),
        memory_mb=size.memory_mb,
        cpus=size.cpus,
        pids=size.pids,
        disk_mb=size.disk_mb,
        created_at=now,
        network=_needs_network(order),
        held=spec.setup is not None,
        seconds_max=_BUILD_SECONDS_MAX,
        environment=list(spec.environment),
        files=files,
    )
    return lab, bytes(payload)


def _set_up(inside: place.Place, spec: labs.MachineSpec) -> None:
    """Run the lab's setup script as root. Raises CreateRefused."""
    assert spec.setup is not None
    argv = [_SETUP] if spec.setup.startswith("#!") else ["/bin/sh", "-e", _SETUP]
    shell = ["/bin/sh", "-c", '"$@" 2>&1; code=$?; rm -f "$0"; exit $code', _SETUP, *argv]
    try:
        ended = inside.run(
            shell, timeout_seconds=spec.setup_seconds_max, output_bytes_max=1 << 20, user="root"
        )
    except (places.PlaceError, places.NoSuchMachine) as problem:
        raise ports.CreateRefused("setup", f"setup of {spec.name}: {problem}") from problem
    if ended.code == 0 and not ended.timed_out:
        return
    how = f"exit status {ended.code}"
    if ended.timed_out:
        how = f"not done after {spec.setup_seconds_max} s"
    text = ended.output[-_SETUP_TAIL_BYTES:].decode(errors="replace")
    tail = "\n".join(text.splitlines()[-_SETUP_TAIL_LINES:])
    raise ports.CreateRefused("setup", f"setup of {spec.name} failed ({how}):\n{tail}")
