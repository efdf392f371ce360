"""A student who does what the guides say gets through: every command is typed into a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from brihaspati.domain.labs import Lab
from labs import rig, typist

MISTAKES = ("command not found", "syntax error", "event not found", "unbound", "sage: curl")
# What a student puts in the place of a word in each command that waits for it, in order.
Edit = tuple[str, Callable[[rig.Machines], str]]
EDITS: dict[str, list[Edit]] = {
    "hello": [
        ("Asha", lambda _: "Mira"),
        ("THE-WORD", lambda _: "orbit"),
        ("THE-MOON", lambda _: "callisto"),
        ("THE-WORD", lambda _: "lantern"),
        ("PID", lambda _: "$(pgrep -f bin/caretaker)"),
        ("THE-WORD", lambda _: "quiet"),
    ],
    "web": [],
    "attack": [("PASSWORD", lambda machines: _password(machines["shop"].read))],
}
# Servers that a setup only starts: a student reads the first page before they are needed.
SERVED = {"web": ("web", 8000), "attack": ("shop", 8080)}


def _password(read: Callable[[str, int], bytes]) -> str:
    return read("/root/.manager-password", 100).decode().strip()


class Student:
    """Has a terminal of each kind open and follows the guide."""

    def __init__(self, lab: Lab, machines: rig.Machines) -> None:
        self.machines = machines
        self.machine_of = {terminal.name: terminal.machine for terminal in lab.terminals}
        self.desks = {
            name: typist.Desk(machines[machine]) for name, machine in self.machine_of.items()
        }
        self.first = lab.terminals[0].name
        self.edits = iter(EDITS[lab.name])

    def close(self) -> None:
        for desk in self.desks.values():
            desk.close()

    def do(self, command: typist.Command) -> None:
        """Type a command, with Ctrl-C before it where the guide says so, and edited if it waits."""
        text, name = command.text, command.terminal or self.first
        if command.edited:
            word, right = next(self.edits)
            assert word in text
            text = text.replace(word, right(self.machines))
        if command.interrupt:
            self.desks[name].type(typist.INTERRUPT)
            self.desks[name].run("true")
        if name == "server":
            self.serve(text)
            return
        shown, _ = self.desks[name].run(text)
        assert not [mistake for mistake in MISTAKES if mistake in shown], f"{text}\n{shown}"

    def serve(self, text: str) -> None:
        """Start a server, which keeps its terminal, and wait until it listens."""
        machine = self.machines[self.machine_of["server"]]
        self.desks["server"].type(f"{text}\n")
        rig.until(lambda: rig.answers(machine, 8080))


@pytest.fixture
def student_of(table: rig.Table) -> Iterator[Callable[[Lab], Student]]:
    students: list[Student] = []

    def make(lab: Lab) -> Student:
        machines = table.play(lab)
        if lab.name in SERVED:
            name, port = SERVED[lab.name]
            rig.until(lambda: rig.answers(machines[name], port))
        students.append(Student(lab, machines))
        return students[-1]

    yield make
    for student in students:
        student.close()


@pytest.mark.root
@pytest.mark.parametrize("lab", rig.LABS, ids=lambda lab: lab.name)
def test_doing_what_the_guide_says_passes_every_check(
    lab: Lab, student_of: Callable[[Lab], Student]
) -> None:
    student = student_of(lab)
    for step in lab.steps:
        for command in typist.commands(step.html):
            student.do(command)
        # A program told to stop may still be writing its last words when the typist is done.
        rig.until(*rig.checked(student.machines, lab, step))
    assert list(student.edits) == []
