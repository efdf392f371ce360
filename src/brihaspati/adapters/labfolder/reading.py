"""From a lab folder to a published lab, or to everything that is wrong with it."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from brihaspati.adapters.labfolder import contents, marked, pages, schema
from brihaspati.adapters.labfolder.problems import LabProblems, Report
from brihaspati.domain import labs

FILE = pages.FILE
MISSING_TOOL_CODE = 69  # EX_UNAVAILABLE of sysexits.h


def read(folder: Path) -> labs.Lab:
    """The lab in a folder. Raises LabProblems with every fault found."""
    report = Report(folder)
    inside = contents.Contents(folder, report)
    if not (folder / FILE).is_file():
        where = "The folder has" if folder.is_dir() else "The folder does not exist, so it has"
        report.add(FILE, 1, f"{where} no lab.yaml.", "Write one; see docs/how-to/write-a-lab.md.")
        raise LabProblems(report.problems)
    text = inside.text(FILE, FILE, 1)
    tree = marked.parse(text, FILE, report) if text is not None else None
    valid = schema.Checker(FILE, report).check(tree, schema.load(), "") if tree else None
    lab = _Reading(inside, report, valid).lab() if valid else None
    report.raise_if_any()
    assert lab is not None
    return dataclasses.replace(lab, version=version(lab))


def read_all(root: Path) -> tuple[list[labs.Lab], list[LabProblems]]:
    """Every folder of `root` with a lab.yaml: the labs by name, and what keeps others from it.

    One broken folder does not take the others away.
    """
    found: list[labs.Lab] = []
    wrong: list[LabProblems] = []
    for folder in sorted(path.parent for path in root.glob(f"*/{FILE}")):
        try:
            found.append(read(folder))
        except LabProblems as problems:
            wrong.append(problems)
    return found, wrong


def version(lab: labs.Lab) -> str:
    """A digest of all a lab holds (20 hexadecimal digits), whatever `version` it carries."""
    body = dataclasses.asdict(dataclasses.replace(lab, version=""))
    text = json.dumps(body, sort_keys=True, default=bytes.hex)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def setup_script(requires: Iterable[str], script: str | None) -> str | None:
    """The author's setup behind a check that every required program is there."""
    names = " ".join(requires)
    if not names:
        return script
    check = (
        f'missing=""; for tool in {names}; do\n'
        '  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"\n'
        "done\n"
        'if [ -n "$missing" ]; then\n'
        '  echo "This lab needs programs its image does not have:$missing" >&2\n'
        f"  exit {MISSING_TOOL_CODE}\n"
        "fi\n"
        "unset missing tool\n"
    )
    first, newline, rest = (script or "").partition("\n")
    if first.startswith("#!"):
        return f"{first}\n{check}{rest}"
    return f"{check}{first}{newline}{rest}"


class _Reading:
    """Builds the lab from a checked tree; members the checker refused are simply absent."""

    def __init__(self, inside: contents.Contents, report: Report, tree: marked.Tree) -> None:
        self.inside = inside
        self.report = report
        self.tree = tree

    def _fault(self, line: int, message: str, fix: str) -> None:
        self.report.add(FILE, line, message, fix)

    def lab(self) -> labs.Lab:
        tree = self.tree
        self._check_name()
        self._check_unique("machines", "name")
        self._check_unique("terminals", "name")
        self._check_unique("steps", "file")
        machines = tuple(self._machine(item) for item in tree.each("machines"))
        names = [machine.name for machine in machines if machine.name]
        terminals = self._terminals(names)
        steps = pages.Pages(self.inside, self.report, machines, terminals).steps(tree.each("steps"))
        minutes = tree.whole("minutes") or sum(step.minutes for step in steps)
        lifetime = tree.whole("lifetime_minutes")
        if lifetime < minutes:
            self._fault(
                tree.line_of("lifetime_minutes"),
                f"The sandbox lives {lifetime} minutes, and the lab takes {minutes}.",
                f"Set lifetime_minutes to {minutes} or more.",
            )
        return labs.Lab(
            name=tree.text("name"),
            title=tree.text("title"),
            summary=" ".join(tree.text("summary").split()),
            version="",
            minutes=minutes,
            lifetime_minutes=lifetime,
            machines=machines,
            terminals=terminals,
            steps=steps,
            egress=cast("labs.EgressPolicy", self._network().text("egress")),
            egress_allow=self._network().texts("allow"),
            extend_minutes=tree.whole("extend_minutes"),
            extensions_max=tree.whole("extensions_max"),
            idle_minutes=tree.whole("idle_minutes") or None,
            hue=tree.whole("hue"),
            motif=tree.text("motif"),
        )

    def _check_name(self) -> None:
        name, folder = self.tree.text("name"), self.inside.folder.absolute().name
        if name and name != folder:
            self._fault(
                self.tree.line_of("name"),
                f"The name is {name}, the folder is {folder}.",
                "Make them the same.",
            )

    def _check_unique(self, key: str, member: str) -> None:
        seen: dict[str, int] = {}
        for item in self.tree.each(key):
            value, line = item.text(member), item.line_of(member)
            if value and value in seen:
                message = f"`{value}` is in {key} twice (first on line {seen[value]})."
                self._fault(line, message, f"Give each its own {member}.")
            seen.setdefault(value, line)

    def _network(self) -> marked.Tree:
        network = self.tree.get("network")
        assert network is not None  # the schema gives it a default
        return network

    def _check_network(self) -> None:
        network = self._network()
        allowed, egress = network.each("allow"), network.text("egress")
        if allowed and egress != "allow":
            self._fault(
                network.line_of("allow"),
                f"`network.allow` has no effect while egress is {egress}.",
                "Write `egress: allow`, or remove the list.",
            )
        if egress == "allow" and not allowed:
            line = network.line_of("egress")
            self._fault(
                line, "`egress: allow` without a list allows nothing.", "Add `allow:` lines."
            )
        for item in allowed:
            where, _, port = str(item.value).rpartition(":")
            if int(port) > 65535:
                self._fault(item.line, f"There is no port {port}.", "Ports end at 65535.")
            try:
                ipaddress.IPv4Network(where)
            except ValueError:
                right = ipaddress.IPv4Network(where, strict=False)
                self._fault(item.line, f"{where} is not a network.", f"Write {right}:{port}.")

    def _machine(self, tree: marked.Tree) -> labs.MachineSpec:
        placed: tuple[labs.LabFile, ...] = ()
        disk = tree.whole("disk_mb")
        if files := tree.text("files"):
            placed = self.inside.placed(files, FILE, tree.line_of("files"), disk * 2**20)
        script = None
        if setup := tree.text("setup"):
            script = self.inside.script(setup, FILE, tree.line_of("setup"))
        environment = tree.get("environment")
        ports = [
            (item.line_of("port"), labs.PublishedPort(item.whole("port"), item.text("title")))
            for item in tree.each("ports")
        ]
        for at, (line, port) in enumerate(ports):
            if any(port.port == other.port for _, other in ports[:at]):
                self._fault(line, f"Port {port.port} is listed twice.", "Remove one of the two.")
        return labs.MachineSpec(
            name=tree.text("name"),
            image=tree.text("image"),
            resources=labs.Resources(
                memory_mb=tree.whole("memory_mb"),
                cpus=tree.number("cpus"),
                pids=tree.whole("pids"),
                disk_mb=disk,
            ),
            user=cast("labs.User", tree.text("user")),
            files=placed,
            setup=setup_script(tree.texts("requires"), script),
            setup_seconds_max=tree.whole("setup_seconds_max"),
            environment=tuple(
                (key, str(value.value))
                for key, value in (environment.members if environment else {}).items()
            ),
            ports=tuple(port for _, port in ports),
            requires=tree.texts("requires"),
            bake=tree.truth("bake"),
        )

    def _terminals(self, names: list[str]) -> tuple[labs.Terminal, ...]:
        self._check_network()
        if "terminals" not in self.tree.members:
            if len(names) == 1:
                return (labs.Terminal("main", names[0]),)
            return tuple(labs.Terminal(name, name) for name in names)
        return tuple(
            labs.Terminal(
                item.text("name"),
                pages.known_machine(item, names, self._fault) or "",
                item.texts("command") or None,
            )
            for item in self.tree.each("terminals")
        )


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of lab.yaml."""
    return dict(schema.load())
