"""Links that do something in the lab: `port:8080` opens a web tab, `file:/etc/motd` the editor.

A machine may stand first, as in `port:web:8080` and `file:web:/etc/motd`; `#L4` names a line.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

Attributes = dict[str, str | int | float]
PREFIXES = ("port:", "file:")
PATH_MAX = 1024
_PORT = re.compile(r"(?:([a-z][a-z0-9-]*):)?([1-9][0-9]{0,4})")
_FILE = re.compile(r"(?:([a-z][a-z0-9-]*):)?(/[^#]*)(?:#L([1-9][0-9]{0,6}))?")


class NoAction(Exception):  # noqa: N818 - caught at once and reported with its line
    """The link cannot do what it says. `message` and `fix` are for the lab's author."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Reach:
    """What links of a step may name. `ports` has every machine, with the ports it publishes.

    `machine` is the one meant when none is named; `seen` are those with a terminal.
    """

    ports: Mapping[str, frozenset[int]] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    machine: str = ""

    def known(self, machine: str) -> str:
        """A machine of the lab. Raises NoAction."""
        if machine not in self.ports:
            raise NoAction(f"There is no machine `{machine}`.", f"Known: {', '.join(self.ports)}.")
        return machine


NOTHING = Reach()


def attributes(href: str, reach: Reach) -> Attributes:
    """What the link's element says to the page. Raises NoAction."""
    what = _port if href.startswith("port:") else _file
    found = what(urllib.parse.unquote(href.partition(":")[2]), reach)
    return {"class": "action", "href": "#", **found}


def _port(named: str, reach: Reach) -> Attributes:
    found = _PORT.fullmatch(named)
    if not found:
        raise NoAction(
            f"port:{named} is not a port.", "Write port:8080, or port:MACHINE:8080 with its name."
        )
    machine, port = found[1], int(found[2])
    holders = [name for name, ports in reach.ports.items() if port in ports]
    if machine is None:
        machine = reach.machine if reach.machine in holders or not holders else holders[0]
        if len(holders) > 1 and reach.machine not in holders:
            fix = f"Say which: {', '.join(f'port:{name}:{port}' for name in holders)}."
            raise NoAction(f"Several machines publish port {port}.", fix)
    if reach.known(machine) not in holders:
        raise NoAction(
            f"The machine `{machine}` does not publish port {port}.",
            "List it under `ports` of the machine.",
        )
    return {"data-port": str(port), "data-machine": machine}


def _file(named: str, reach: Reach) -> Attributes:
    found = _FILE.fullmatch(named)
    if not found or not _is_plain(found[2]):
        raise NoAction(
            f"file:{named} is not the path of a file.",
            "Write an absolute path, such as file:/etc/motd, without `..`; #L4 for a line.",
        )
    machine, path, line = found[1] or reach.machine, found[2], found[3]
    if reach.known(machine) not in reach.seen:
        raise NoAction(
            f"The machine `{machine}` has no terminal, so its files are not the student's to open.",
            "Name a machine that has one, such as file:MACHINE:/etc/motd.",
        )
    at: Attributes = {"data-line": line} if line else {}
    return {"data-file": path, **at, "data-machine": machine}


def _is_plain(path: str) -> bool:
    parts = path.split("/")[1:]
    return path.isprintable() and len(path) <= PATH_MAX and not {"", ".", ".."} & set(parts)
