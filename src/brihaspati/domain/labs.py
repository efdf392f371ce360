"""A lab as its author wrote it: machines, network, guide. Values only; see adapters for reading.

Sizes are in MiB (`_mb`), times in seconds or minutes as the name says. A `Lab` is immutable: a
changed folder publishes a new `version` (a digest of its content), and a running sandbox keeps the
version it was started with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

# How a check or a solve script is run: this program, the script's text on its standard input. The
# text is then in no process list, where the student would read the answer and `pgrep -f` in a
# script would find itself, and what the script starts does not read the rest of the script.
SCRIPT_ARGV = ("bash", "-c", 'script=$(cat); exec </dev/null; eval "$script"')

EgressPolicy = Literal["none", "allow", "full"]
User = Literal["root", "student"]


@dataclass(frozen=True, slots=True)
class Resources:
    """What one machine may use. `cpus` is a share of a core (0.5) or several (2.0)."""

    memory_mb: int = 256
    cpus: float = 1.0
    pids: int = 128
    disk_mb: int = 64


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A TCP port of a machine the student sees as a web tab."""

    port: int
    title: str


@dataclass(frozen=True, slots=True)
class LabFile:
    """A file placed in a machine before its setup runs. `path` is absolute, `mode` as in chmod."""

    path: str
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """One machine of a lab. `setup` is a shell script run once as root before the lab is ready.

    `requires` names the programs the lab cannot do without; `setup` already begins with a check
    that says which of them is missing (exit code 69, the sentence on standard error). `bake`: all
    of that may be done once, in an image that everybody's machine is made from.
    """

    name: str
    image: str = "host"
    resources: Resources = field(default_factory=Resources)
    user: User = "root"
    files: tuple[LabFile, ...] = ()
    setup: str | None = None
    setup_seconds_max: int = 60
    environment: tuple[tuple[str, str], ...] = ()
    ports: tuple[PublishedPort, ...] = ()
    requires: tuple[str, ...] = ()
    bake: bool = False


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal tab. `command` None means the login shell of the machine's user."""

    name: str
    machine: str
    command: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A bash script run as root on `machine` (None = the lab's first one).

    It exits 0 when the student has done what `title` says; what it prints is said to the student.
    `watch`: the page runs it by itself while the student works on the step.
    """

    id: str
    title: str
    script: str
    machine: str | None = None
    watch: bool = False
    seconds_max: int = 10


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer offered by a question. `why` (HTML) is said when it is chosen."""

    id: str
    html: str
    right: bool
    why: str | None = None


QuestionKind = Literal["one", "many", "text"]


@dataclass(frozen=True, slots=True)
class Question:
    """A quiz question. `answers` are the texts accepted by kind `text`, else `choices` say it."""

    id: str
    kind: QuestionKind
    html: str
    choices: tuple[Choice, ...] = ()
    answers: tuple[str, ...] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the guide. All HTML is rendered and sanitised when the lab is published.

    `hints` lead to the solution, one after the other. `solve` is a bash script run as root on
    `machine` that does the step for the student.
    """

    id: str
    title: str
    html: str
    minutes: int = 5
    machine: str | None = None
    checks: tuple[Check, ...] = ()
    solve: str | None = None
    hints: tuple[str, ...] = ()
    quiz: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Lab:
    """A published lab. `hue` (0-359) and `motif` draw its cover."""

    name: str
    title: str
    summary: str
    version: str
    minutes: int
    lifetime_minutes: int
    machines: tuple[MachineSpec, ...]
    terminals: tuple[Terminal, ...]
    steps: tuple[Step, ...]
    egress: EgressPolicy = "none"
    egress_allow: tuple[str, ...] = ()
    extend_minutes: int = 15
    extensions_max: int = 4
    idle_minutes: int | None = None
    hue: int = 70
    motif: str = "shell"
