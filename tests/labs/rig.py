"""A lab's machines on the namespaces provider, and what a test asks of them."""

from __future__ import annotations

import contextlib
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from brihaspati import ports
from brihaspati.adapters import labfolder
from brihaspati.adapters.namespaces import images, network, provider
from brihaspati.domain import labs
from brihaspati_agent import places

LABS, WRONG = labfolder.read_all(Path(__file__).parents[2] / "labs")
BY_NAME = {lab.name: lab for lab in LABS}
ENV = "labtest"
WAIT_SECONDS_MAX = 40.0  # for programs that are started, beside others that have the processor
Machines = dict[str, places.Place]


@contextlib.contextmanager
def native(folder: Path) -> Iterator[provider.Namespaces]:
    """The provider as `brihaspati up` has it; its labs end with it."""
    made = provider.Namespaces(
        folder, ENV, images.Images(folder / "images"), networks=network.Networks(f"{ENV} {folder}")
    )
    made.start()
    try:
        yield made
    finally:
        made.close(end_labs=True)


def orders(lab: labs.Lab) -> Iterator[ports.MachineOrder]:
    """What the engine asks of a provider for this lab."""
    peers: tuple[tuple[str, str], ...] = ()
    if len(lab.machines) > 1:
        peers = tuple((spec.name, f"10.200.0.{at}") for at, spec in enumerate(lab.machines, 10))
    for spec in lab.machines:
        label = f"bh-{ENV}-{lab.name}-a1-{spec.name}"
        yield ports.MachineOrder(label, lab.name, spec, lab.egress, lab.egress_allow, peers)


@dataclass
class Table:
    """Where labs are played; everything on it is cleared away at the end of a test."""

    provider: provider.Namespaces
    labels: list[str] = field(default_factory=list)

    def play(self, lab: labs.Lab) -> Machines:
        """Start the machines of a lab."""
        made: Machines = {}
        for order in orders(lab):
            self.labels.append(order.label)
            self.provider.create(order)
            made[order.spec.name] = self.provider.place(order.label)
        return made

    def clear(self) -> None:
        """Delete them."""
        while self.labels:
            self.provider.delete(self.labels.pop())


def machine_of(lab: labs.Lab, step: labs.Step, machines: Machines) -> places.Place:
    """The machine a step's scripts run on."""
    return machines[step.machine or lab.machines[0].name]


def run(machine: places.Place, script: str | None) -> places.Outcome:
    """Run a check or solve script as the product does."""
    assert script is not None
    return machine.run(labs.SCRIPT_ARGV, stdin=script.encode(), timeout_seconds=30, user="root")


def said(outcome: places.Outcome) -> str:
    """An outcome for a failing test's message."""
    return f"exit {outcome.code}: {outcome.output.decode()} {outcome.error.decode()}".strip()


def passes(machines: Machines, lab: labs.Lab, check: labs.Check) -> bool:
    """Whether a check passes; it must say one thing, and have no errors of its own."""
    outcome = run(machines[check.machine or lab.machines[0].name], check.script)
    assert outcome.output.strip(), f"{check.id} says nothing"
    assert outcome.error == b"", f"{check.id}: {said(outcome)}"
    assert outcome.code in {0, 1}, f"{check.id}: {said(outcome)}"
    return outcome.code == 0


def passed(machines: Machines, lab: labs.Lab, step: labs.Step) -> list[str]:
    """The checks of a step that pass."""
    return [check.id for check in step.checks if passes(machines, lab, check)]


def checked(
    machines: Machines, lab: labs.Lab, step: labs.Step
) -> tuple[Callable[[], bool], Callable[[], str]]:
    """For `until`: the step is done, and which of its checks pass if not."""
    return (
        lambda: len(passed(machines, lab, step)) == len(step.checks),
        lambda: f"{step.id}: of {[c.id for c in step.checks]}: {passed(machines, lab, step)}",
    )


def until(condition: Callable[[], bool], why: Callable[[], str] = str) -> None:
    """Wait for a real condition; fail when it does not come, with what `why` then says."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, f"it did not come true in time: {why()}"
        select.select([], [], [], 0.02)


def answers(machine: places.Place, port: int) -> bool:
    """Whether a server listens on a port of the machine."""
    try:
        machine.connect(port).close()
    except places.PlaceError:
        return False
    return True


def fetched(machine: places.Place, port: int) -> bytes:
    """The page at / of a web server in the machine, headers included."""
    page = b""
    with machine.connect(port) as line:
        line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while part := line.recv(65536):
            page += part
    return page
