"""A provider whose machines are records: it bills, lags and fails exactly as its plan says.

Like a cloud it makes a second machine of the same label when it is asked twice, and goes on
showing both: whoever repeats a create pays for it here too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from brihaspati import ports
from brihaspati.domain import labs
from brihaspati_agent import places


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer a create with CreateRefused; nothing is made."""

    kind: ports.RefusalKind = "sold_out"
    reason: str = "no machines of this size are left"
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Vague:
    """Answer with Unclear; `done` says whether the thing was done all the same."""

    done: bool


Twist = Refuse | Vague
Plan = Callable[[str, str], Twist | None]
"""Asked before each call with its name ("create", "find", "delete", "inventory", "prepare") and the
label, machine id or image; None lets the call do what it should."""


@dataclass(slots=True)
class Machine:
    """One machine we pay for from `created_at` until `deleted_at`."""

    order: ports.MachineOrder
    id: str
    created_at: ports.Moment
    deleted_at: ports.Moment | None = None


@dataclass(frozen=True, slots=True)
class Delays:
    """How long a machine boots, and how long look-ups lag behind creates and deletes."""

    boot_ms: int = 0
    lag_ms: int = 0


class Provider:
    """Machines as records, kept in `machines` in the order they were made.

    `rented` may be set: then they are never `usable` by what is told of them here.
    """

    def __init__(
        self,
        clock: ports.Clock,
        *,
        name: str = "memory",
        plan: Plan | None = None,
        delays: Delays = Delays(),
        price_micros_per_hour: int = 0,
        place: places.Places | None = None,
    ) -> None:
        self.name = name
        self.rented = False
        self.machines: list[Machine] = []
        self._clock = clock
        self._plan = plan or _no_twist
        self._delays = delays
        self._price = price_micros_per_hour
        self._place = place
        self._lock = threading.RLock()

    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:  # noqa: ARG002 - one price
        """The one price there is."""
        return self._price

    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Make a machine; again for the same label makes another."""
        with self._lock:
            twist = self._plan("create", order.label)
            if isinstance(twist, Refuse):
                raise ports.CreateRefused(
                    twist.kind, twist.reason, retry_after_seconds=twist.retry_after_seconds
                )
            if twist is not None and not twist.done:
                raise ports.Unclear("the request timed out")
            machine = Machine(order, f"m{len(self.machines) + 1}", self._clock.now())
            self.machines.append(machine)
            if twist is not None:
                raise ports.Unclear("the reply was lost")
            return self._seen(machine)

    def find(self, label: str) -> ports.MachineSeen | None:
        """The oldest machine of the label that look-ups show."""
        with self._lock:
            self._meet("find", label)
            shown = [m for m in self.machines if m.order.label == label and self._is_shown(m)]
            return self._seen(shown[0]) if shown else None

    def delete(self, machine_id: str) -> None:
        """End a machine; absent is fine."""
        with self._lock:
            twist = self._plan("delete", machine_id)
            if twist is None or (isinstance(twist, Vague) and twist.done):
                for machine in self.machines:
                    if machine.id == machine_id and machine.deleted_at is None:
                        machine.deleted_at = self._clock.now()
            if twist is not None:
                raise ports.Unclear("no answer to the delete")

    def inventory(self) -> list[ports.MachineSeen]:
        """Every machine that look-ups show."""
        with self._lock:
            self._meet("inventory", "")
            return [self._seen(machine) for machine in self.machines if self._is_shown(machine)]

    def prepare(self, image: str, progress: Callable[[str, float | None], None]) -> None:
        """Nothing to prepare, unless the plan refuses."""
        twist = self._plan("prepare", image)
        if twist is not None:
            reason = twist.reason if isinstance(twist, Refuse) else "no answer"
            raise ports.CreateRefused("image", reason)
        progress(image, 1.0)

    def place(self, label: str) -> places.Place:
        """The inside of a machine, from the factory given to us: we have none of our own."""
        with self._lock:
            running = any(m.order.label == label and self._seen(m).usable for m in self.machines)
        if not running:
            raise places.NoSuchMachine(label)
        if self._place is None:
            raise places.PlaceError("a machine in memory has no inside")
        return self._place(label)

    def running(self) -> list[Machine]:
        """Machines that cost money now, shown by look-ups or not."""
        with self._lock:
            return [machine for machine in self.machines if machine.deleted_at is None]

    def bill_micros(self) -> int:
        """What all machines have cost until now, by the millisecond, rounded up."""
        with self._lock:
            now = self._clock.now()
            used_ms = sum((m.deleted_at or now) - m.created_at for m in self.machines)
        return -(-used_ms * self._price // 3_600_000)

    def _meet(self, call: str, what: str) -> None:
        if self._plan(call, what) is not None:
            raise ports.Unclear(f"no answer to {call}")

    def _is_shown(self, machine: Machine) -> bool:
        then = self._clock.now() - self._delays.lag_ms
        return machine.created_at <= then and (
            machine.deleted_at is None or machine.deleted_at > then
        )

    def _seen(self, machine: Machine) -> ports.MachineSeen:
        ready_at = machine.created_at + self._delays.boot_ms
        booted = machine.deleted_at is None and ready_at <= self._clock.now()
        usable = booted and not self.rented
        return ports.MachineSeen(machine.order.label, machine.id, usable, machine.created_at)


def _no_twist(_call: str, _what: str) -> Twist | None:
    return None
