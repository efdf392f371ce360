"""The lines between our processes and the world: every call may be the last, or meet others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from brihaspati import ports
from brihaspati.domain import labs
from brihaspati.simulation.agenda import Agenda
from brihaspati.simulation.cloud import HOUR, MINUTE, SECOND, Cloud
from brihaspati.simulation.dice import Dice
from brihaspati.simulation.vices import Weather

TRIES_MAX = 5


class Died(BaseException):
    """The process was killed here; nothing after this line of its code happens."""


class Line:
    """What can happen between any two calls of one process."""

    def __init__(self, agenda: Agenda, weather: Weather, dice: Dice) -> None:
        self.agenda = agenda
        self.weather = weather
        self.dice = dice
        # Asked at every call: in most worlds neither is there.
        self._others = weather.may_strike("others come between")
        self._deadly = weather.may_strike("process killed")

    def cross(self) -> None:
        """Die, or let others act. Raises Died."""
        if self._others and self.weather.strikes("others come between"):
            self.agenda.pass_time(self.dice.between(1, 2 * SECOND))
        if self._deadly and self.weather.strikes("process killed"):
            raise Died


Committed = Callable[[Sequence[ports.Write]], None]


class StoreLink:
    """`ports.Store` as a process reaches it. `committed` hears of what was really written."""

    def __init__(self, store: ports.Store, line: Line, committed: Committed) -> None:
        self._store = store
        self._line = line
        self._committed = committed

    def _meet(self) -> None:
        self._line.cross()
        if self._line.weather.strikes("store busy"):
            raise ports.Busy("throttled")

    def _page(self, limit: int) -> int:
        """A page may be shorter than asked for: whoever reads on reads at another time."""
        short = self._line.weather.strikes("short pages")
        return min(limit, self._line.dice.between(1, 10)) if short else limit

    def get(self, key: ports.Key) -> ports.Item | None:
        """The item, or None."""
        self._meet()
        return self._store.get(key)

    def get_many(self, keys: Sequence[ports.Key]) -> dict[ports.Key, ports.Item]:
        """Those that exist."""
        self._meet()
        return self._store.get_many(keys)

    def query(
        self, partition: str, prefix: str = "", *, limit: int = 100, cursor: str | None = None
    ) -> ports.Page:
        """Items of a partition."""
        self._meet()
        limit = self._page(limit)
        return self._store.query(partition, prefix, limit=limit, cursor=cursor)

    def query_index(
        self,
        index: str,
        partition: str,
        *,
        prefix: str = "",
        until: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> ports.Page:
        """Items of an index, stale or not."""
        self._meet()
        limit = self._page(limit)
        page = self._store.query_index(
            index, partition, prefix=prefix, until=until, limit=limit, cursor=cursor
        )
        return self._with_gaps(page) if index == "due" else page

    def _with_gaps(self, page: ports.Page) -> ports.Page:
        """What moves while pages are read may be in none of them, for those who read it."""
        weather = self._line.weather
        if not weather.rules("index misses items"):
            return page
        items = tuple(item for item in page.items if not weather.strikes("index misses items"))
        return replace(page, items=items)

    def transact(self, writes: Sequence[ports.Write]) -> tuple[int, ...]:
        """Write all or nothing, and hear of it or not."""
        self._meet()
        if self._line.weather.strikes("store conflict"):
            raise ports.Conflict({0: self._store.get(writes[0].key)})
        versions = self._store.transact(writes)
        self._committed(writes)
        if self._line.weather.strikes("store reply lost"):
            raise ports.Busy("the reply was lost")
        self._line.cross()
        return versions


class Post:
    """`ports.Queue` that delivers: repeated, out of order, hours late, or never.

    `deliver` hands a message to some process and says whether it was done.
    """

    def __init__(self, agenda: Agenda, weather: Weather, dice: Dice) -> None:
        self.agenda = agenda
        self.weather = weather
        self.dice = dice
        self.deliver: Callable[[ports.Message], bool] = lambda _: True
        self.dead_letters = 0

    def put(self, message: ports.Message, *, delay_seconds: float = 0) -> None:
        """Send a message."""
        strikes = self.weather.strikes
        if strikes("message lost"):
            return
        delay = round(delay_seconds * 1000) + self.dice.between(1, 200)
        if strikes("message late"):
            delay += self.dice.between(1, 5 * MINUTE)
        if strikes("message hours late"):
            delay += self.dice.between(1, 3) * HOUR
        self._later(message, delay, 1)
        if strikes("message repeated"):
            self._later(message, delay + self.dice.between(0, 2 * MINUTE), 1)

    def _later(self, message: ports.Message, delay_ms: int, tries: int) -> None:
        def arrive() -> None:
            if self.deliver(message):
                return
            if tries >= TRIES_MAX:
                self.dead_letters += 1
                return
            self._later(message, min(2**tries, 30) * SECOND, tries + 1)

        self.agenda.after(delay_ms, arrive)

    def take(self, limit: int, *, visible_after_seconds: float) -> list[ports.Taken]:  # noqa: ARG002
        """Nothing is ever there to be taken: it is delivered."""
        return []

    def done(self, taken: ports.Taken) -> None:
        """Nothing was handed out, so nothing is given back."""

    def again(self, taken: ports.Taken, *, delay_seconds: float) -> None:
        """Nothing was handed out, so nothing is given back."""

    def dead(self, limit: int = 100) -> list[ports.Taken]:  # noqa: ARG002
        """Those that failed too often are counted, not kept."""
        return []


class Alarms:
    """`ports.Timer` that fires late, twice or never."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._set: dict[str, int] = {}
        self._count = 0

    def set(self, name: str, at: ports.Moment, message: ports.Message) -> None:
        """Set or move an alarm."""
        self._count += 1
        mine = self._set[name] = self._count
        strikes, dice = self._post.weather.strikes, self._post.dice
        if strikes("alarm never"):
            return
        late = dice.between(1, 10 * MINUTE) if strikes("alarm late") else dice.between(0, SECOND)

        def fire() -> None:
            if self._set.get(name) == mine:
                self._post.put(message)

        self._post.agenda.at(at + late, fire)
        if strikes("alarm twice"):
            self._post.agenda.at(at + late + dice.between(0, MINUTE), fire)

    def cancel(self, name: str) -> None:
        """Forget an alarm."""
        self._set.pop(name, None)


class ProviderLink:
    """`ports.Provider` as a process reaches it: it may die before the call, or with the answer.

    `deletes` hears of each delete that this process asks for.
    """

    def __init__(self, cloud: Cloud, line: Line, deletes: Callable[[str], None]) -> None:
        self._deletes = deletes
        self.name, self.rented = cloud.name, cloud.rented
        self.cloud = cloud
        self.line = line

    def price_micros_per_hour(self, spec: labs.MachineSpec) -> int:
        """The provider's price."""
        return self.cloud.price_micros_per_hour(spec)

    def create(self, order: ports.MachineOrder) -> ports.MachineSeen:
        """Make a machine."""
        self.line.cross()
        seen = self.cloud.create(order)
        self.line.cross()
        return seen

    def find(self, label: str) -> ports.MachineSeen | None:
        """Look a machine up."""
        self.line.cross()
        return self.cloud.find(label)

    def delete(self, machine_id: str) -> None:
        """Delete a machine."""
        self.line.cross()
        self._deletes(machine_id)
        self.cloud.delete(machine_id)
        self.line.cross()

    def inventory(self) -> list[ports.MachineSeen]:
        """Every machine."""
        self.line.cross()
        return self.cloud.inventory()

    def prepare(self, image: str, progress: Callable[[str, float | None], None]) -> None:
        """Make an image usable."""
        self.cloud.prepare(image, progress)


class Heard:
    """`ports.Agents` of a world of records: when somebody typed, as people do."""

    def __init__(self) -> None:
        self.typed: dict[str, int] = {}

    def run(self, label: str, script: str, *, seconds_max: float) -> ports.ScriptOutcome:  # noqa: ARG002
        """Scripts have no machine to run on here."""
        raise ports.Unreachable("a machine of this world has no inside")

    def glance(self, sandbox: str) -> ports.Glance:
        """When somebody typed."""
        return ports.Glance(self.typed.get(sandbox))

    def open_early(self, sandbox: str, machines: Mapping[str, str], lab: labs.Lab) -> None:
        """No terminals here."""

    def close(self, sandbox: str, reason: str) -> None:
        """No terminals here."""

    def last_input_at(self, sandbox: str) -> ports.Moment | None:
        """When somebody last typed."""
        return self.typed.get(sandbox)
