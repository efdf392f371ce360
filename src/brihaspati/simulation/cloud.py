"""A cloud that bills, lags, lies and forgets; what it bills is the truth promises are held to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from brihaspati import ports
from brihaspati.domain import labs
from brihaspati.simulation.agenda import Agenda
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.vices import Weather

PRICE_MICROS_PER_HOUR = 24_000
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
LAG_MS_MAX = 12 * SECOND
# A machine that does not live until it is deleted ends within this time.
ENDS_MS_MAX = 40 * MINUTE
# From what is made to what can be used: of a host of our own, and of a cloud.
HOST_BOOTS_SECONDS = (0, 2)
BOOTS_SECONDS = (2, 8)
NAME = "cloud"
PREFIX = "bh-sim-"


@dataclass(slots=True)
class Box:
    """One machine at the provider, paid for from `created_at` until `ended_at`.

    `by_us`: we deleted it; else it died, or somebody else did. `hidden_until`: lists say that it is
    gone while it runs. `told`: we wrote down that it is there. `listed_at`: when an inventory first
    had it. `denied_at`: when a look-up of it had no answer, or its delete was not done.
    `seen`: as it was last shown.
    """

    id: str
    label: str
    created_at: int
    usable_at: int
    ended_at: int | None = None
    by_us: bool = False
    hidden_until: int = 0
    hidden_ms: int = 0
    told: bool = False
    stranger: bool = False
    listed_at: int | None = None
    denied_at: list[int] = field(default_factory=list)
    seen: ports.MachineSeen | None = None

    def micros(self, now: int) -> int:
        """What it has cost until now."""
        used = (self.ended_at if self.ended_at is not None else now) - self.created_at
        return -(-used * PRICE_MICROS_PER_HOUR // HOUR)


@dataclass
class Cloud:
    """`ports.Provider` with vices. `creates` counts what was sent for each label."""

    agenda: Agenda
    weather: Weather
    dice: Dice
    deleted: Callable[[Box], None] = lambda _: None
    name: str = NAME
    rented: bool = True
    boxes: dict[str, Box] = field(default_factory=dict)
    creates: dict[str, int] = field(default_factory=dict)
    _of_label: dict[str, list[Box]] = field(default_factory=dict)
    _listable: list[Box] = field(default_factory=list)
    deletes_fail_until: int = 0
    lag_ms: int = 0
    boots_seconds: tuple[int, int] = BOOTS_SECONDS

    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:  # noqa: ARG002 - one price
        """The one price there is."""
        return PRICE_MICROS_PER_HOUR

    # --- create ----------------------------------------------------------------------------------
    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Make a machine, or not, and say so, or not."""
        self.creates[order.label] = self.creates.get(order.label, 0) + 1
        self.agenda.pass_time(self.dice.between(200, 3 * SECOND))
        strikes = self.weather.strikes
        if strikes("create rate limited"):
            raise ports.CreateRefused(
                "rate", "too many requests", retry_after_seconds=self.dice.between(1, 20)
            )
        if strikes("sold out"):
            raise ports.CreateRefused("sold_out", "no machine of this size is left")
        if strikes("account limit"):
            raise ports.CreateRefused("quota", "the account's limit is reached")
        if strikes("create fails before") or strikes("create times out, nothing made"):
            raise ports.Unclear("no answer")
        box = self.make(order.label)
        if strikes("create times out, machine made"):
            self.agenda.pass_time(30 * SECOND)
            raise ports.Unclear("no answer")
        if strikes("create accepted, then vanishes"):
            self.agenda.after(self.dice.between(0, MINUTE), lambda: self.end(box))
        return self._seen(box)

    def make(self, label: str, *, stranger: bool = False) -> Box:
        """A machine that is there from now on."""
        now = self.agenda.now
        boots_ms = self.dice.between(*self.boots_seconds) * SECOND
        if self.weather.strikes("machine boots late"):
            boots_ms = self.dice.between(20, 240) * SECOND
        if self.weather.strikes("machine never boots"):
            boots_ms = 100 * HOUR
        if self.weather.strikes("agent lies about readiness"):
            boots_ms = 0
        box = Box(f"m{len(self.boxes) + 1}", label, now, now + boots_ms, stranger=stranger)
        self.boxes[box.id] = box
        if label.startswith(PREFIX):
            self._listable.append(box)
        self._of_label.setdefault(label, []).append(box)
        self.agenda.tell(f"the provider makes {box.id} for {label}")
        for vice in ("machine dies", "machine loses its network", "operator deletes by hand"):
            if not stranger and self.weather.strikes(vice):
                self.agenda.after(self.dice.between(0, ENDS_MS_MAX), lambda: self.end(box))
        return box

    def end(self, box: Box, *, by_us: bool = False) -> None:
        """A machine is no more, and costs nothing from now on."""
        if box.ended_at is None:
            box.ended_at, box.by_us = self.agenda.now, by_us
            self.agenda.tell(f"{box.id} ({box.label}) ends{'' if by_us else ', not by us'}")

    # --- look-ups --------------------------------------------------------------------------------
    def find(self, label: str) -> ports.MachineSeen | None:
        """The machine of a label, as far as the lists know."""
        boxes = list(self._of_label.get(label, ()))
        self._answered(boxes)
        for box in boxes:
            if self._is_shown(box):
                return self._seen(box)
        return None

    def inventory(self) -> list[ports.MachineSeen]:
        """Every machine with our mark, as far as the lists know."""
        self._answered(())
        # What ended longer ago than lists lag is never shown again: it is not looked at.
        past = self.agenda.now - self.lag_ms
        self._listable = [b for b in self._listable if b.ended_at is None or b.ended_at > past]
        listed = [box for box in self._listable if self._is_shown(box)]
        if self.weather.may_strike("list misses machines"):
            strikes = self.weather.strikes
            listed = [box for box in listed if not strikes("list misses machines")]
        for box in listed:
            box.listed_at = box.listed_at or self.agenda.now
        return [self._seen(box) for box in listed]

    def _answered(self, about: Iterable[Box]) -> None:
        self.agenda.pass_time(self.dice.between(20, 300))
        if self.weather.strikes("look-up unanswered"):
            for box in about:
                box.denied_at.append(self.agenda.now)
            raise ports.Unclear("no answer")

    def _is_shown(self, box: Box) -> bool:
        now = self.agenda.now
        lag = 0 if self.weather.calm else self.lag_ms
        if box.created_at > now - lag or box.hidden_until > now:
            return False
        return box.ended_at is None or box.ended_at > now - lag

    def _seen(self, box: Box) -> ports.MachineSeen:
        usable = box.ended_at is None and box.usable_at <= self.agenda.now
        if box.seen is None or box.seen.usable != usable:
            box.seen = ports.MachineSeen(box.label, box.id, usable, box.created_at)
        return box.seen

    # --- delete ----------------------------------------------------------------------------------
    def delete(self, machine_id: str) -> None:
        """End a machine, or say so."""
        self.agenda.pass_time(self.dice.between(50, SECOND))
        box = self.boxes.get(machine_id)
        if not self.weather.calm and self.agenda.now < self.deletes_fail_until:
            raise ports.Unclear("the service is down")
        if box is None:
            return
        self.deleted(box)
        if self.weather.strikes("delete lies"):
            box.denied_at.append(self.agenda.now)
            return
        if self.weather.strikes("delete says gone early"):
            hidden_ms = self.dice.between(1, 10) * MINUTE
            box.hidden_until = self.agenda.now + hidden_ms
            box.hidden_ms += hidden_ms
            return
        self.end(box, by_us=True)
        if self.weather.strikes("delete unanswered"):
            raise ports.Unclear("no answer")

    def prepare(self, image: str, progress: Callable[[str, float | None], None]) -> None:
        """Nothing to prepare."""
        progress(image, 1.0)

    # --- the truth -------------------------------------------------------------------------------
    def running(self) -> list[Box]:
        """Our machines that cost money now."""
        return [b for b in self.boxes.values() if b.ended_at is None and not b.stranger]

    def bill_micros(self) -> int:
        """What all our machines have cost until now."""
        return sum(b.micros(self.agenda.now) for b in self.boxes.values() if not b.stranger)
