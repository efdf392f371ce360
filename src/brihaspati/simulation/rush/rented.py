"""An account of a cloud: machines that boot when they boot, tokens that may ask so often."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from brihaspati.adapters.rented import shapes
from brihaspati.adapters.rented.governor import Governor
from brihaspati.adapters.rented.shapes import Account, Image, Machine, Region, Size, Trouble, Wish
from brihaspati.domain import egress, pace
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.rush.limits import Sliding, Tally
from brihaspati.simulation.rush.tasks import Tasks

# DigitalOcean's limits of a token: in a minute and in an hour; and what a list has on a page.
WINDOWS = ((250, 60), (5_000, 3_600))
PAGE = 200
PRICE_MICROS_PER_HOUR = 8_930
REGION = "fra1"
# From the create to an address, and to the first word of the machine's own agent.
ADDRESS_MS = (4_000, 9_000)
BOOT_MEDIAN_MS, BOOT_SPREAD = 65_000, 0.25
CREATE_MS, ASK_MS = (800, 2_000), (60, 250)
DELETED_MS = (2_000, 20_000)
# In the order of urgency of `adapters.rented.calling.SHARES`; a test compares.
SHARES = {"create": 0.97, "look": 0.8, "list": 0.6, "delete": 1.0}


@dataclass(slots=True)
class Box:
    """A machine, there from `created_at` until `ended_at`."""

    label: str
    id: str
    created_at: int
    listed_at: int
    addressed_at: int
    ended_at: int | None = None

    def shown(self, now: int) -> Machine:
        """As the cloud tells of it."""
        there = now >= self.addressed_at
        address = f"10.{int(self.id) >> 16}.{int(self.id) >> 8 & 255}.{int(self.id) & 255}"
        status = "active" if there else "new"
        return Machine(
            self.label, self.id, status, self.created_at, address if there else None, REGION
        )


@dataclass
class Rented:
    """One account: the truth about its machines. `booted` hears of each when its agent speaks."""

    name: str
    tasks: Tasks
    tally: Tally
    dice: Dice
    booted: Callable[[Box, int], None] = lambda _box, _at: None
    alive: dict[str, Box] = field(default_factory=dict)
    made: int = 0
    windows: tuple[tuple[int, int], ...] = WINDOWS

    def __post_init__(self) -> None:
        self.tokens = {"make": Sliding(*self.windows), "sweep": Sliding(*self.windows)}

    def make(self, label: str) -> Box:
        """A machine that costs money from now on."""
        self.made += 1
        now, dice = self.tasks.now(), self.dice
        box = Box(
            label,
            str(self.made),
            now,
            now + dice.between(0, 2_000),
            now + dice.between(*ADDRESS_MS),
        )
        self.alive[box.id] = box
        self.booted(box, now + round(BOOT_MEDIAN_MS * math.exp(BOOT_SPREAD * dice.normal())))
        return box

    def listed(self) -> list[Box]:
        """What a list shows now."""
        now = self.tasks.now()
        return [box for box in self.alive.values() if box.listed_at <= now]

    def end(self, box: Box) -> None:
        """A machine is on its way out: still shown for a while."""

        def gone() -> None:
            box.ended_at = self.tasks.now()
            self.alive.pop(box.id, None)

        self.tasks.agenda.after(self.dice.between(*DELETED_MS), gone)


class Api:
    """`shapes.Cloud` for one token in one environment, with a governor that counts its own."""

    name = "digitalocean"

    def __init__(self, account: Rented, token: str) -> None:
        self._account = account
        self._token = token
        count, seconds = account.windows[0]
        self._governor = Governor(count, seconds, lambda: account.tasks.now() / 1000)

    def _ask(self, urgency: str, ms: tuple[int, int]) -> None:
        """One request. Raises Trouble (rate)."""
        account = self._account
        wait = self._governor.admit(SHARES[urgency])
        if wait:
            account.tally.throttled(f"cloud {urgency}: our own governor")
            raise Trouble("rate", "our own limit is reached", retry_after_seconds=wait)
        account.tasks.spend(account.dice.between(*ms))
        wait = account.tokens[self._token].take(account.tasks.now())
        if wait:
            account.tally.throttled(f"cloud {urgency}: 429")
            self._governor.close(wait)
            raise Trouble("rate", "too many requests", retry_after_seconds=wait)
        account.tally.load(f"cloud {self._token}", account.name, account.tasks.now(), 1)

    def hurried(self) -> bool:
        """Whether so much is asked now that lists must be shared."""
        return self._governor.used() > 0.3

    def windows(self, *, alone: bool) -> tuple[pace.Window, ...]:
        """The limits, less what others need of them, as for DigitalOcean."""
        keep = 0.96 if alone else 0.8
        return tuple(pace.Window(round(n * keep), seconds) for n, seconds in self._account.windows)

    def create(self, wish: Wish) -> Machine:
        """Make a machine."""
        self._ask("create", CREATE_MS)
        return self._account.make(wish.label).shown(self._account.tasks.now())

    def machines(self, tag: str) -> list[Machine]:  # noqa: ARG002 - there are no others
        """Every machine, all pages."""
        for _ in range(max(1, math.ceil(len(self._account.alive) / PAGE))):
            self._ask("list", ASK_MS)
        now = self._account.tasks.now()
        return [box.shown(now) for box in self._account.listed()]

    def machine(self, machine_id: str) -> Machine | None:
        """One machine, or None."""
        self._ask("look", ASK_MS)
        box = self._account.alive.get(machine_id)
        return box.shown(self._account.tasks.now()) if box is not None else None

    def delete(self, machine_id: str) -> bool:
        """Ask for its end; False when there was none."""
        self._ask("delete", ASK_MS)
        box = self._account.alive.get(machine_id)
        if box is None:
            return False
        self._account.end(box)
        return True

    def records(self, zone: str) -> shapes.Rows:
        """No machine has a name here."""
        raise Trouble("gone", f"no such zone: {zone}")

    def walls(self, name: str, tag: str, rules: egress.Rules) -> str:  # noqa: ARG002
        """The firewall is there already."""
        return name

    def sizes(self, region: str) -> list[Size]:  # noqa: ARG002
        """One size."""
        return [Size("s-1vcpu-2gb", 2_048, 2, 51_200, PRICE_MICROS_PER_HOUR)]

    def regions(self) -> list[Region]:
        """One region."""
        return [Region(REGION, REGION, fit=True)]

    def system(self, image: str) -> Image | None:
        """Every system there is."""
        return Image(image, image, True, frozenset(), 0)  # noqa: FBT003

    def images(self) -> list[Image]:
        """No snapshots: every machine sets itself up."""
        return []

    def account(self) -> Account:
        """As many machines as one likes."""
        return Account(None, "active")

    def power_off(self, machine_id: str) -> None:
        """Nobody bakes here."""

    def snapshot(self, machine_id: str, name: str) -> None:
        """Nobody bakes here."""

    def transfer(self, image: Image, regions: Sequence[str]) -> None:
        """Nobody bakes here."""

    def delete_image(self, image_id: str) -> None:
        """Nobody bakes here."""
