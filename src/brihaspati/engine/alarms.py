"""What should not have happened with a rented machine: told at once, and kept to be looked at."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from brihaspati import ports
from brihaspati.domain import sandboxes
from brihaspati.engine import records
from brihaspati.engine.paging import every
from brihaspati.engine.world import World
from brihaspati.ports import Key

log = logging.getLogger(__name__)

KEPT_MS = 60 * 24 * 3_600_000
SHOWN = "alarms"
# A ready machine speaks every half minute; its dead-man switch acts after half an hour of silence.
SILENT_MS = 5 * 60_000
BATCH = 100
What = Literal[
    "token used twice", "token used from elsewhere", "machine failed", "machine silent", "suspect"
]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm. `source`: the address it came from, where there is one."""

    at: int
    label: str
    what: What
    text: str = ""
    source: str = ""

    @property
    def sandbox(self) -> str:
        """Whose machine."""
        return sandboxes.sandbox_of(self.label)


class Alarms:
    """Tells whoever watches: a line in the log, a metric, and a list."""

    def __init__(self, world: World) -> None:
        self.world = world

    def sound(self, label: str, what: What, text: str = "", source: str = "") -> None:
        """Tell of it. A machine that stays silent or suspect is told of once."""
        alarm = Alarm(self.world.clock.now(), label, what, text, source)
        lasting = what in ("machine silent", "suspect")
        sort = f"alarm#{what}#{label}" if lasting else f"alarm#{alarm.at:015d}"
        put = ports.Put(
            records.machine_key(alarm.sandbox, sort),
            asdict(alarm),
            expect=0 if lasting else None,
            expires_at=alarm.at + KEPT_MS,
            indexes={"group": Key(SHOWN, f"{alarm.at:015d}#{label}")},
        )
        try:
            self.world.store.transact((put,))
        except ports.Conflict:
            return
        log.error("machine alarm", extra={"label": label, "what": what, "source": source})
        self.world.metrics.count("machine_alarms")

    def all(self, since: int = 0) -> list[Alarm]:
        """Those from a moment on, the oldest first."""
        index = self.world.store.query_index
        items = every(lambda cursor: index("group", SHOWN, cursor=cursor))
        found = (Alarm(**item.body) for item in items)
        return [alarm for alarm in found if alarm.at >= since]

    def look_for_silence(self, ready: list[tuple[str, str]]) -> int:
        """Sound for machines that say nothing any more; how many there are.

        Args:
            ready: sandbox and label of rented machines whose lab is ready.
        """
        now, count = self.world.clock.now(), 0
        for at, label in self._last_beats(ready):
            if now - at >= SILENT_MS:
                count += 1
                text = f"Nothing was heard of it for {(now - at) // 60_000} min."
                self.sound(label, "machine silent", text)
        return count

    def _last_beats(self, ready: list[tuple[str, str]]) -> Iterator[tuple[int, str]]:
        for start in range(0, len(ready), BATCH):
            wanted = {
                records.beat_key(sandbox, label): label
                for sandbox, label in ready[start : start + BATCH]
            }
            for key, item in self.world.store.get_many(list(wanted)).items():
                yield int(item.body["at"]), wanted[key]
