"""A namespaces provider over the host image, and what a test asks of its labs."""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brihaspati import ports
from brihaspati.adapters.namespaces import hostimage, provider
from brihaspati.domain import labs
from brihaspati_agent import places

ENV = "test"
_count = itertools.count()


@dataclass(frozen=True)
class HostRootfs:
    path: Path
    usr: Path | None = Path("/usr")


@dataclass(frozen=True)
class HostImages:
    """Only the `host` image, made once."""

    folder: Path

    def ready(self, image: str, progress: Callable[[str, float | None], None]) -> HostRootfs:
        if image != "host":
            raise ports.CreateRefused("image", f"no image {image}")
        hostimage.build(self.folder / "host")
        progress("host", 1.0)
        return HostRootfs(self.folder / "host")


def order(name: str = "lab", **spec: Any) -> ports.MachineOrder:
    """An order under a label nobody used before."""
    sandbox = f"s{next(_count)}"
    label = f"bh-{ENV}-{sandbox}-a1-{name}"
    return ports.MachineOrder(label, sandbox, labs.MachineSpec(name=name, **spec))


def keepers(folder: Path) -> list[int]:
    """The processes that keep labs for this folder."""
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"brihaspati.adapters.namespaces.keeper" in words and os.fsencode(folder) in words:
                status = (process / "stat").read_text().rpartition(")")[2]
                parents[int(process.name)] = int(status.split()[1])
    # A child about to become a program of a lab still has the keeper's name.
    return [pid for pid, parent in parents.items() if parent not in parents]


def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    """Wait for a real condition; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        select.select([], [], [], 0.01)


@dataclass
class Rig:
    """A provider and the labs made with it."""

    folder: Path
    provider: provider.Namespaces
    made: list[str] = field(default_factory=list)

    def lab(self, name: str = "lab", **spec: Any) -> places.Place:
        """A new lab, from the inside."""
        return self.provider.place(self.label(name, **spec))

    def label(self, name: str = "lab", **spec: Any) -> str:
        """A new lab, by its label."""
        wanted = order(name, **spec)
        self.made.append(wanted.label)
        return self.provider.create(wanted).label

    def end(self) -> None:
        """End every lab made so far."""
        for label in self.made:
            self.provider.delete(label)
        self.made.clear()


@contextlib.contextmanager
def opened(folder: Path, *, orphan_seconds: float = 30, **more: Any) -> Iterator[Rig]:
    """A rig whose labs and keeper end with it."""
    images = HostImages(folder / "images")
    made = provider.Namespaces(folder / "data", ENV, images, orphan_seconds=orphan_seconds, **more)
    images.ready("host", lambda *_: None)
    made.start()
    try:
        yield Rig(folder / "data", made)
    finally:
        made.close(end_labs=True)


def said(place: places.Place, argv: Sequence[str], **how: Any) -> str:
    """What a command printed; it must succeed."""
    ended = place.run(argv, **how)
    assert ended.code == 0, ended
    return ended.output.decode()


class Screen:
    """What a terminal has shown so far."""

    def __init__(self, terminal: places.Terminal) -> None:
        self.terminal = terminal
        self.bytes = b""
        self.ended = False

    def type(self, text: str) -> None:
        os.write(self.terminal.fileno(), text.encode())

    def read(self, seconds: float) -> None:
        if not select.select([self.terminal.fileno()], [], [], seconds)[0]:
            return
        try:
            data = os.read(self.terminal.fileno(), 65536)
        except OSError:
            data = b""
        self.ended = not data
        self.bytes += data

    def shows(self, text: str, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while text.encode() not in self.bytes:
            assert time.monotonic() < deadline, f"no {text!r} in {self.bytes!r}"
            assert not self.ended, f"ended without {text!r}: {self.bytes!r}"
            self.read(0.1)

    def ends(self, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not self.ended:
            assert time.monotonic() < deadline, f"did not end: {self.bytes!r}"
            self.read(0.1)
